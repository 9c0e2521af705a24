import pytest

from tvm_patdnn.errors import TargetError
from tvm_patdnn.machine.gpu_model import GpuModel
from tvm_patdnn.machine.targets import resolve_target


def model(target: object) -> GpuModel:
    return GpuModel.from_target(resolve_target(target))


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("cuda -arch=sm_70", "T4"),
        ("cuda -arch=sm_80", "A100"),
        ("nvidia/nvidia-a100", "A100"),
        ("cuda -arch=sm_87", "RTX 3080"),
        ("cuda -arch=sm_90a", "H100"),
        ("opencl", "Adreno 640"),
        ({"kind": "opencl", "device": "mali"}, "Mali-G76"),
        ("metal", "Apple M1"),
    ],
)
def test_a_target_has_the_numbers_of_a_gpu_like_it(target, name):
    assert model(target).name == name


def test_the_published_peaks_are_reached():
    assert model("cuda -arch=sm_80").peak == pytest.approx(19.5e6 / 2, rel=0.01)
    assert model("cuda -arch=sm_90").peak == pytest.approx(60e6 / 2, rel=0.02)


def test_limits_of_the_target_hold():
    small = model({"kind": "opencl", "max_num_threads": 128, "max_shared_memory_per_block": 8192})
    assert (small.block_threads, small.block_shared_bytes) == (128, 8192)


def test_a_cpu_is_no_gpu():
    with pytest.raises(TargetError, match="target kind 'llvm': no GPU that we have kernels for"):
        model("llvm")


def test_the_architecture_is_not_guessed():
    from tvm_patdnn.machine.gpu_model import _cuda

    with pytest.raises(
        TargetError, match=r"target 'cuda': needs the architecture, as in 'cuda -arch="
    ):
        _cuda("")
