import re
import shutil
import subprocess
from functools import cache

import numpy as np
import pytest

from te_schedules.gpu.kernel_table import KERNELS
from tests.te_schedules.gpu.opencl_device import OpenClDevice
from tests.te_schedules.gpu.run_kernel import codes, expected, run_sample, target

SINGLE = [name for name in KERNELS if KERNELS[name]().kernel.storage == "float32"]
SHARED_BYTES = 48 << 10
MOST_SPILLED = 8  # bytes: one number that the loops do not need, for one more warp

needs_opencl = pytest.mark.skipif(
    OpenClDevice.found() is None, reason="no OpenCL device: install PoCL (pocl-opencl-icd)"
)
needs_nvcc = pytest.mark.skipif(shutil.which("nvcc") is None, reason="no nvcc")


@needs_opencl
@pytest.mark.parametrize("name", SINGLE)
def test_an_opencl_device_computes_what_torch_does(name):
    sample = KERNELS[name]()
    got = run_sample(OpenClDevice.found(), sample)
    np.testing.assert_allclose(got, expected(sample), rtol=1e-4, atol=1e-4)


@needs_opencl
def test_a_wrong_weight_is_seen():
    sample = KERNELS["pattern conv2d"]()
    sample.kernel.shares.weight.reshape(-1)[0] += 1
    got = run_sample(OpenClDevice.found(), sample)
    assert np.abs(got - expected(sample)).max() > 0.1


def _stack(text: str) -> int:
    return int(re.search(r"(\d+) bytes stack frame", text)[1])


@cache
def compiled(arch: str) -> dict[str, str]:
    """What nvcc says of each kernel, all in one file."""
    source = {}
    for i, name in enumerate(KERNELS):
        cuda = target("cuda", arch=arch)
        for code in codes(KERNELS[name](), cuda, f"k{i}"):
            source[code.launch.function] = code.source
    return dict(_ptxas(source, arch))


def _ptxas(source: dict[str, str], arch: str):
    """Yields what the assembler says of each function."""
    header = max((text[: text.index('extern "C"')] for text in source.values()), key=len)
    bodies = (text[text.index('extern "C"') :] for text in source.values())
    done = subprocess.run(
        ["nvcc", "-cubin", "-arch", arch, "-Xptxas", "-v", "-o", "/dev/null", "-x", "cu", "-"],
        input="\n".join([header, *bodies]),
        capture_output=True,
        text=True,
        check=True,
    )
    for part in done.stderr.split("Compiling entry function '")[1:]:
        yield part[: part.index("'")], part


@needs_nvcc
@pytest.mark.parametrize("arch", ["sm_80", "sm_90"])
def test_nvcc_keeps_registers_in_registers(arch):
    said = compiled(arch)
    assert len(said) >= len(KERNELS)
    assert not any("stack frame" in text and _stack(text) > MOST_SPILLED for text in said.values())
    for function, text in said.items():
        assert int(re.search(r"(\d+) bytes spill stores", text)[1]) <= MOST_SPILLED, function
        shared = re.search(r"(\d+) bytes smem", text)
        assert shared is None or int(shared[1]) <= SHARED_BYTES, function


def test_the_grouped_kernel_visits_only_its_windows():
    assert not KERNELS["grouped conv2d"]().kernel.shares.same_cuts
    assert not KERNELS["depthwise conv2d"]().kernel.shares.same_cuts


@needs_nvcc
def test_a_stack_frame_would_be_seen():
    code = """extern "C" __global__ void slow(int *x) {
        int held[64]; for (int i = 0; i < 64; i++) held[x[i] & 63] = x[i];
        x[0] = held[x[1] & 63]; }"""
    (text,) = dict(_ptxas({"slow": code}, "sm_80")).values()
    assert "256 bytes stack frame" in text


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("kind", ["metal", "opencl"])
def test_other_sources_declare_only_the_shared_memory_that_there_is(name, kind):
    for code in codes(KERNELS[name](), target(kind)):
        place = {"metal": "threadgroup", "opencl": "__local"}[kind]
        sizes = re.findall(rf"{place} (?:float|int|uint) \w+\s*\[(\d+)\]", code.source)
        assert 4 * sum(map(int, sizes)) <= 32 << 10  # of Apple's GPUs, and Adreno's
        assert len(code.launch.arguments) <= 31  # Metal's buffers
        assert np.prod(code.launch.block) <= 1024
