import shutil

import pytest

import tvm_patdnn
from tests.built import pruned_network
from tvm_patdnn.bench.static_throughput import Analyser, Loop, inner_loops
from tvm_patdnn.errors import BenchError

ASSEMBLY = """\
main:
\tvfmadd231ps %ymm0, %ymm1, %ymm2
.LBB0_1:
\tvmovups (%rax), %ymm0
\tvfmadd231ps %ymm0, %ymm1, %ymm2
\tvfmadd231ps 32(%rax), %ymm1, %ymm3
\tjne .LBB0_1
\tvaddps %ymm2, %ymm3, %ymm3
.LBB0_2:
\taddq $1, %rax
\tjne .LBB0_2
.LBB0_3:
\tvfmadd231ps %ymm0, %ymm1, %ymm2
\tjne .LBB0_1
"""


def test_loops_that_multiply_and_add():
    (loop,) = inner_loops(ASSEMBLY)
    assert loop.multiply_adds == 2
    assert [line.split()[0] for line in loop.lines] == ["vmovups", *2 * ["vfmadd231ps"], "jne"]


@pytest.mark.parametrize("target", ["raspberry-pi-4", "x86-64-v3"])
def test_loops_of_generated_kernels(target):
    assert any(
        loop.multiply_adds >= 8
        for loop in inner_loops(tvm_patdnn.build(pruned_network(), target).assembly())
    )


@pytest.mark.skipif(shutil.which("llvm-mca") is None, reason="no llvm-mca: apt-get install llvm")
@pytest.mark.parametrize("cpu", ["cortex-a72", "cortex-a76"])
def test_the_share_of_peak(cpu):
    analyser = Analyser("aarch64-linux-gnu", cpu)
    independent = tuple(f"fmla v{i}.4s, v30.4s, v31.4s" for i in range(16))
    assert analyser.share_of_peak(Loop(independent, 16)) == pytest.approx(1, abs=0.05)
    chained = 8 * ("fmul v0.4s, v0.4s, v0.4s", "fmla v0.4s, v0.4s, v31.4s")
    assert analyser.share_of_peak(Loop(chained, 8)) < 0.3


def test_no_tool(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BenchError, match="no llvm-mca: install LLVM's tools"):
        Analyser("aarch64-linux-gnu", "cortex-a72").share_of_peak(Loop(("nop",), 1))


@pytest.mark.skipif(shutil.which("llvm-mca") is None, reason="no llvm-mca: apt-get install llvm")
def test_code_that_it_does_not_understand():
    with pytest.raises(BenchError, match="llvm-mca for cortex-a72: "):
        Analyser("aarch64-linux-gnu", "cortex-a72").share_of_peak(Loop(("no such code",), 1))
