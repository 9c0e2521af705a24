import pytest
import tvm

import tvm_patdnn
from tests.built import library, network, require_linker
from tvm_patdnn.errors import LibraryError
from tvm_patdnn.library.devices import missing_runtime, open_device


def require_no(kind):
    if tvm.device(kind).exist:
        pytest.skip(f"this machine has {kind}")


@pytest.fixture(scope="module")
def for_cuda():
    return tvm_patdnn.build(network(), "cuda -arch=sm_80")


def test_a_library_for_a_cpu_runs_on_the_cpu():
    assert open_device(library()._executable.mod) == tvm.cpu()


def test_a_gpu_that_is_not_here(for_cuda):
    require_no("cuda")
    with pytest.raises(
        LibraryError,
        match=r"is for a GPU by cuda, and this machine has none that TVM can use; it needs the .*"
        r"libcudart.so.13 of CUDA 13",
    ):
        for_cuda.runnable  # noqa: B018


def test_a_file_for_a_gpu_that_is_not_here(for_cuda, tmp_path):
    require_no("cuda")
    require_linker(for_cuda)
    path = tmp_path / "net.so"
    for_cuda.export_library(path)
    with pytest.raises(LibraryError, match=r"is for a GPU by cuda.* it needs the device, and TVM"):
        tvm_patdnn.load(path)


def test_other_complaints_are_not_explained():
    assert missing_runtime("file too short") == ""
    assert missing_runtime("Library binary was created using {hexagon} but a loader") == ""
