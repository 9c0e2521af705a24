import shutil

import pytest

from tvm_patdnn.bench.peak_code import PEAKS
from tvm_patdnn.bench.static_throughput import Analyser, inner_loops

CPUS = {
    "fmla": ("aarch64-linux-gnu", "cortex-a72"),
    "vfmadd231ps": ("x86_64-linux-gnu", "haswell"),
    "sdot": ("aarch64-linux-gnu", "cortex-a76"),
    "usdot": ("aarch64-linux-gnu", "neoverse-v1"),
    "sadalp": ("aarch64-linux-gnu", "cortex-a72"),
    "vpdpbusd": ("x86_64-linux-gnu", "cascadelake"),
    "vpmaddubsw": ("x86_64-linux-gnu", "haswell"),
}


@pytest.mark.skipif(shutil.which("llvm-mca") is None, reason="no llvm-mca: apt-get install llvm")
@pytest.mark.parametrize("instruction", PEAKS)
def test_the_peak_is_all_of_itself(instruction):
    code = "\n".join(["loop:", *PEAKS[instruction], "b loop", "jmp loop"])
    (loop,) = inner_loops(code)
    assert loop.instruction == instruction
    whole = type(loop)(tuple(PEAKS[instruction]), loop.multiply_adds)
    assert Analyser(*CPUS[instruction]).share_of_peak(whole) == pytest.approx(1)
