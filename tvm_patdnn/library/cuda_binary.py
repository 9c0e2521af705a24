"""Lets TVM put a binary into libraries for CUDA, on a machine that need not have a GPU.

TVM stores the source of its kernels where it finds no CUDA, and compiles it there with a package
that few have. So it is given nvcc, where that is installed; and its runtime for CUDA, which is
loaded on its own only where there is a driver, is given a driver that says that there is no GPU.
"""

from __future__ import annotations

import ctypes
import importlib.util
import logging
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import tvm
import tvm_ffi
from tvm.support import cc

from tvm_patdnn.errors import BuildError

__all__ = ["binary_for_cuda", "source_for_cuda"]

_LOG = logging.getLogger(__name__)

_COMPILE = "tvm_callback_cuda_compile"
_OUTPUT_SHOWN = 2000  # characters of nvcc's complaint


@contextmanager
def binary_for_cuda(target: tvm.target.Target) -> Iterator[None]:
    """What is built for CUDA meanwhile gets a binary, where nvcc is; else its source.

    Raises:
        BuildError: nvcc does not compile the kernels; or TVM found CUDA, and wants a compiler.
    """
    if target.kind.name != "cuda":
        yield
        return
    if shutil.which("nvcc") is None:
        _check_other_compiler()
        yield
        return
    if not _has_runtime():
        yield
        return
    compiler = _Nvcc(str(target.attrs["arch"]))
    try:
        with _compiling_by(compiler):
            yield
    except Exception:
        if compiler.failure is not None:
            raise compiler.failure from None  # through TVM it came as an error of TVM's
        raise


@contextmanager
def source_for_cuda() -> Iterator[None]:
    """What is built for CUDA meanwhile is compiled by nothing: only its source is of use."""
    if not _is_registered():
        yield
        return
    with _compiling_by(lambda code: b"not compiled"):
        yield


@contextmanager
def _compiling_by(work: Callable[[str], bytes]) -> Iterator[None]:
    before = tvm_ffi.get_global_func(_COMPILE)
    tvm_ffi.register_global_func(_COMPILE, work, override=True)
    try:
        yield
    finally:
        tvm_ffi.register_global_func(_COMPILE, before, override=True)


def _check_other_compiler() -> None:
    """Checks that TVM has what it compiles with where it found CUDA and we found no nvcc."""
    if _is_registered() and importlib.util.find_spec("cuda") is None:
        raise BuildError(
            "building for CUDA: this machine has TVM's runtime for it, but neither nvcc nor the "
            "Python package cuda-bindings; install one of them"
        )


class _Nvcc:
    """Compiles for an architecture; ``failure`` is what went wrong."""

    def __init__(self, arch: str) -> None:
        self._arch = arch
        self.failure: BuildError | None = None

    def __call__(self, code: str) -> bytes:
        with tempfile.TemporaryDirectory() as name:
            source, binary = Path(name) / "kernels.cu", Path(name) / "kernels.fatbin"
            source.write_text(code)
            line = ["nvcc", "-fatbin", "-O3", f"-arch={self._arch}", "-o", str(binary), str(source)]
            done = subprocess.run(line, capture_output=True, text=True, check=False)
            if done.returncode:
                said = done.stderr.strip()[-_OUTPUT_SHOWN:]
                self.failure = BuildError(
                    f"compiling for '{self._arch}': nvcc says: {said}; is it the GPU's "
                    "architecture, and one that this CUDA toolkit knows?"
                )
                raise self.failure
            return binary.read_bytes()


@cache
def _has_runtime() -> bool:
    """Whether TVM's runtime for CUDA is loaded, if need be with a driver of ours."""
    if _is_registered():
        return True
    try:
        _load_runtime(Path(str(shutil.which("nvcc"))).resolve().parent.parent)
    except (OSError, StopIteration, subprocess.SubprocessError) as error:
        _LOG.info("no binary for CUDA, only the source: %s", error)
        return False
    return _is_registered()


def _is_registered() -> bool:
    return tvm_ffi.get_global_func("ffi.Module.create.cuda", allow_missing=True) is not None


def _load_runtime(cuda: Path) -> None:
    runtime = Path(tvm.__file__).parent / "lib" / "libtvm_runtime_cuda.so"
    needed = runtime.read_bytes()
    version = re.search(rb"libcudart\.so\.\d+", needed)
    library = next(cuda.rglob(version[0].decode())) if version else None
    try:
        ctypes.CDLL("libcuda.so.1", ctypes.RTLD_GLOBAL)
    except OSError:
        _load_driver_without_gpu(needed)
    for each in filter(None, (library, runtime)):
        ctypes.CDLL(str(each), ctypes.RTLD_GLOBAL)


def _load_driver_without_gpu(needed: bytes) -> None:
    """Loads functions of the driver's names that all return "no device"."""
    names = {name.decode() for name in re.findall(rb"\x00(cu[A-Z]\w+)(?=\x00)", needed)}
    lines = "".join(f"int {name}(void) {{ return 100; }}\n" for name in sorted(names))
    with tempfile.TemporaryDirectory() as name:
        source, library = Path(name) / "driver.c", Path(name) / "libcuda.so.1"
        source.write_text(lines)
        words = ["-shared", "-fPIC", "-w", "-Wl,-soname,libcuda.so.1", "-o", str(library)]
        compiler = cc.get_cc() or "cc"
        line = [compiler, *words, "-x", "c", str(source)]
        subprocess.run(line, check=True, capture_output=True)
        ctypes.CDLL(str(library), ctypes.RTLD_GLOBAL)
