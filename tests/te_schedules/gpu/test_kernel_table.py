import re
import shutil
import subprocess
from functools import cache

import numpy as np
import pytest

from te_schedules.gpu.kernel_table import KERNELS
from tests.gpu.opencl import require_opencl
from tests.te_schedules.gpu.run_kernel import expected, functions, run_sample, target
from tvm_patdnn.standalone.device_code import device_code

SINGLE = [name for name in KERNELS if KERNELS[name]().kernel.storage == "float32"]
SHARED_BYTES = 48 << 10

needs_nvcc = pytest.mark.skipif(shutil.which("nvcc") is None, reason="no nvcc")


@pytest.mark.parametrize("name", SINGLE)
def test_an_opencl_device_computes_what_torch_does(name):
    require_opencl()
    sample = KERNELS[name]()
    np.testing.assert_allclose(run_sample(sample), expected(sample), rtol=1e-4, atol=1e-4)


def test_a_wrong_weight_is_seen():
    require_opencl()
    sample = KERNELS["pattern conv2d"]()
    sample.kernel.shares.weight.reshape(-1)[0] += 1
    assert np.abs(run_sample(sample) - expected(sample)).max() > 0.1


def test_the_grouped_kernel_visits_only_its_windows():
    assert not KERNELS["grouped conv2d"]().kernel.shares.same_cuts
    assert not KERNELS["depthwise conv2d"]().kernel.shares.same_cuts


@cache
def source_of_all(kind: str, **attributes: str):
    """All kernels in one source, and how they are launched."""
    named: dict = {}
    for i, name in enumerate(KERNELS):
        named |= functions(KERNELS[name](), f"k{i}")
    return device_code(named, target(kind, **attributes))


@cache
def compiled(arch: str) -> dict[str, str]:
    """What nvcc says of each kernel."""
    return dict(_ptxas(source_of_all("cuda", arch=arch).source, arch))


def _ptxas(source: str, arch: str):
    done = subprocess.run(
        ["nvcc", "-cubin", "-arch", arch, "-Xptxas", "-v", "-o", "/dev/null", "-x", "cu", "-"],
        input=source,
        capture_output=True,
        text=True,
        check=True,
    )
    for part in done.stderr.split("Compiling entry function '")[1:]:
        yield part[: part.index("'")], part


def _stack(text: str) -> int:
    return int(re.search(r"(\d+) bytes stack frame", text)[1])


@needs_nvcc
@pytest.mark.parametrize("arch", ["sm_80", "sm_90"])
def test_nvcc_keeps_registers_in_registers(arch):
    said = compiled(arch)
    assert len(said) >= len(KERNELS)
    for function, text in said.items():
        assert _stack(text) == 0, function
        assert "0 bytes spill stores" in text, function
        shared = re.search(r"(\d+) bytes smem", text)
        assert shared is None or int(shared[1]) <= SHARED_BYTES, function


@needs_nvcc
def test_a_stack_frame_would_be_seen():
    code = """extern "C" __global__ void slow(int *x) {
        int held[64]; for (int i = 0; i < 64; i++) held[x[i] & 63] = x[i];
        x[0] = held[x[1] & 63]; }"""
    (text,) = dict(_ptxas(code, "sm_80")).values()
    assert _stack(text) == 256


@pytest.mark.parametrize("kind", ["metal", "opencl"])
def test_other_sources_keep_the_limits_of_phones(kind):
    code = source_of_all(kind)
    place = {"metal": "threadgroup", "opencl": "__local"}[kind]
    kernels = re.split(r"^(?:__kernel|kernel) void ", code.source, flags=re.MULTILINE)[1:]
    assert len(kernels) >= len(KERNELS)
    for kernel in kernels:
        sizes = re.findall(rf"{place} (?:float|int) \w+\s*\[(\d+)\]", kernel)
        assert 4 * sum(map(int, sizes)) <= 32 << 10  # of Apple's GPUs, and Adreno's
    for function in code.functions.values():
        for launch in function.launches:
            assert len(launch.arguments) <= 31  # Metal's buffers
            assert np.prod(launch.block) <= 1024
