import shutil

import pytest

from tvm_patdnn.bench.gpu.compile_cuda import compile_cuda
from tvm_patdnn.errors import BenchError

needs_nvcc = pytest.mark.skipif(shutil.which("nvcc") is None, reason="no nvcc")


@needs_nvcc
def test_machine_code_is_written(tmp_path):
    compile_cuda("__global__ void k() {}", tmp_path / "k.cubin", "sm_80", "--use_fast_math")
    assert (tmp_path / "k.cubin").read_bytes()[:4] == b"\x7fELF"


@needs_nvcc
def test_what_nvcc_says_is_shown(tmp_path):
    with pytest.raises(BenchError, match=r"k.cubin: nvcc says: .*error"):
        compile_cuda("not CUDA", tmp_path / "k.cubin", "sm_80")


def test_a_missing_compiler_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BenchError, match="cannot start nvcc, .*; install NVIDIA's CUDA toolkit"):
        compile_cuda("", tmp_path / "k.cubin", "sm_80")
