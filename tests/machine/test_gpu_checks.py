import pytest

from tvm_patdnn.errors import TargetError
from tvm_patdnn.machine.gpu_checks import check_gpu


@pytest.mark.parametrize("kind", ["opencl", "metal"])
def test_kinds_that_need_nothing_more(kind):
    check_gpu({"kind": kind})


def test_cuda_needs_its_architecture():
    check_gpu({"kind": "cuda", "arch": "sm_80"})
    with pytest.raises(
        TargetError, match="target 'cuda': lacks the GPU's architecture; write 'cuda -arch=sm_80'"
    ):
        check_gpu({"kind": "cuda"})


@pytest.mark.parametrize("arch", ["sm_75", "sm_90a", "sm_120", "sm_103f"])
def test_architectures(arch):
    check_gpu({"kind": "cuda", "arch": arch})


@pytest.mark.parametrize("arch", ["80", "ampere", "sm_8", "compute_80", ""])
def test_what_is_no_architecture(arch):
    with pytest.raises(TargetError, match=f"target 'cuda': arch '{arch}': expected sm_ and a num"):
        check_gpu({"kind": "cuda", "arch": arch})


def test_webgpu_is_declined_with_its_reason():
    with pytest.raises(TargetError, match=r"target 'webgpu': not supported: .* types that WebGPU"):
        check_gpu({"kind": "webgpu"})


def test_other_kinds():
    with pytest.raises(TargetError, match="target kind 'vulkan': expected 'llvm' for CPUs, or one"):
        check_gpu({"kind": "vulkan"})
