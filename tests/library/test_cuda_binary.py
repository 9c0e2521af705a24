import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tvm
import tvm_ffi

import tvm_patdnn
from tests.built import library, network, require_linker
from tvm_patdnn.errors import BuildError
from tvm_patdnn.library import cuda_binary
from tvm_patdnn.library.cuda_binary import binary_for_cuda
from tvm_patdnn.machine.targets import resolve_target

ROOT = Path(__file__).parents[2]
PLAIN_PATH = "/usr/bin:/bin"
CUDA = resolve_target("cuda -arch=sm_80")


def require_nvcc():
    if shutil.which("nvcc") is None:
        pytest.skip("no nvcc on this machine")


def test_a_library_for_cuda_holds_a_binary_where_nvcc_is(tmp_path):
    require_nvcc()
    built = tvm_patdnn.build(network(), CUDA)
    require_linker(built)
    built.export_library(tmp_path / "net.so")
    content = (tmp_path / "net.so").read_bytes()
    assert content.count(b"\x7fELF") > 1  # of the library, and of its kernels
    assert b"__global__" not in content
    assert "__global__" in built.assembly()


ALONE = """
import sys, tvm_patdnn
from tests.built import network
tvm_patdnn.build(network(), "cuda -arch=sm_80").export_library(sys.argv[1])
"""


def test_without_nvcc_it_holds_the_source(tmp_path):
    """In a process of its own: once loaded, TVM's runtime for CUDA stays."""
    require_linker(library())
    if shutil.which("nvcc", path=PLAIN_PATH) is not None or tvm.cuda().exist:
        pytest.skip("this machine has CUDA")
    line = [sys.executable, "-c", ALONE, str(tmp_path / "net.so")]
    subprocess.run(line, check=True, cwd=ROOT, env={**os.environ, "PATH": PLAIN_PATH})
    assert b"__global__" in (tmp_path / "net.so").read_bytes()


def test_a_machine_with_cuda_and_without_a_compiler(monkeypatch):
    monkeypatch.setattr(cuda_binary.shutil, "which", lambda name: None)
    monkeypatch.setattr(cuda_binary, "_is_registered", lambda: True)
    monkeypatch.setattr(cuda_binary.importlib.util, "find_spec", lambda name: None)
    with (
        pytest.raises(BuildError, match=r"this machine has .*, but neither nvcc nor the Python"),
        binary_for_cuda(CUDA),
    ):
        pass


def test_what_nvcc_says_is_shown():
    require_nvcc()
    with pytest.raises(BuildError, match=r"compiling for 'sm_80': nvcc says: .*error"):
        cuda_binary._Nvcc("sm_80")("not CUDA")


def test_what_nvcc_says_reaches_who_builds_and_blames_no_operator():
    require_nvcc()
    if not cuda_binary._has_runtime():
        pytest.skip("TVM's runtime for CUDA cannot be loaded here")
    unknown = resolve_target("cuda -arch=sm_99")
    with pytest.raises(BuildError, match=r"^compiling for 'sm_99': nvcc says: .*toolkit knows\?$"):
        tvm_patdnn.build(network(), unknown)


def test_other_targets_are_left_alone():
    before = tvm_ffi.get_global_func("tvm_callback_cuda_compile", allow_missing=True)
    with binary_for_cuda(resolve_target("opencl")):
        assert tvm_ffi.get_global_func("tvm_callback_cuda_compile", allow_missing=True) == before


@pytest.mark.parametrize("reason", [OSError("no file"), StopIteration()])
def test_a_runtime_that_cannot_be_loaded_leaves_the_source(reason, monkeypatch):
    def fail(folder):
        raise reason

    monkeypatch.setattr(cuda_binary, "_is_registered", lambda: False)
    monkeypatch.setattr(cuda_binary, "_load_runtime", fail)
    assert not cuda_binary._has_runtime.__wrapped__()
