import ctypes
from types import SimpleNamespace

import pytest
import torch

from tvm_patdnn.bench.gpu.device import CudaDevice, torchs_machine
from tvm_patdnn.bench.gpu.layer_case import LayerLaunch
from tvm_patdnn.errors import BenchError

LAUNCH = LayerLaunch(kernel="conv", arguments=("b", "a"), grid=(4, 3, 1), block=(32, 2, 1))


class Driver:
    """Stands in for libcuda; notes what it is asked to launch."""

    def __init__(self) -> None:
        self.loaded: list[bytes] = []
        self.launched: list[tuple] = []

    def cuModuleLoadData(self, module, code) -> int:  # noqa: N802
        self.loaded.append(code)
        return 0

    def cuModuleGetFunction(self, function, module, name) -> int:  # noqa: N802
        return 0 if name == b"conv" else 500

    def cuLaunchKernel(self, function, *sizes_and_rest) -> int:  # noqa: N802
        *sizes, shared, stream, values, extra = sizes_and_rest
        read = [ctypes.cast(value, ctypes.POINTER(ctypes.c_uint64))[0] for value in values]
        self.launched.append((sizes, shared, stream.value, read, extra))
        return 0


@pytest.fixture
def device(monkeypatch) -> CudaDevice:
    stream = SimpleNamespace(cuda_stream=7)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda: stream)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda number: "H100")
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    monkeypatch.setattr(torch, "zeros", lambda *shape, device: None)
    monkeypatch.setattr(torch, "ones", lambda *shape, device: torch.eye(2))
    monkeypatch.setattr(ctypes, "CDLL", lambda name: Driver())
    return CudaDevice()


def test_a_launch_gives_the_driver_addresses_in_the_kernels_order(device, tmp_path):
    module = tmp_path / "m.cubin"
    module.write_bytes(b"code")
    arrays = {"a": torch.empty(3), "b": torch.empty(3)}
    for _ in range(2):
        device.call(module, [LAUNCH], arrays)
    driver = device._driver
    assert driver.loaded == [b"code"]
    addresses = [arrays["b"].data_ptr(), arrays["a"].data_ptr()]
    assert driver.launched == [([4, 3, 1, 32, 2, 1], 0, 7, addresses, None)] * 2


def test_what_the_driver_refuses_is_told(device, tmp_path):
    module = tmp_path / "m.cubin"
    module.write_bytes(b"code")
    wrong = LayerLaunch(kernel="gone", arguments=(), grid=(1, 1, 1), block=(1, 1, 1))
    with pytest.raises(BenchError, match="gone: the CUDA driver answers with error 500"):
        device.call(module, [wrong], {})


def test_rows_say_where_they_were_measured(device, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "version", lambda: 91900)
    assert torchs_machine(torch) == {"gpu": "H100", "torch": torch.__version__, "cudnn": 91900}
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert torchs_machine(torch)["gpu"] == "none"
