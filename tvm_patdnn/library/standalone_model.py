"""Runs a standalone library: with ctypes and numpy, without TVM."""

from __future__ import annotations

import ctypes
import itertools
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tvm_patdnn.errors import LibraryError
from tvm_patdnn.library.elf import check_loads_here
from tvm_patdnn.library.fresh_name import fresh_name
from tvm_patdnn.library.interface import ModelInterface
from tvm_patdnn.library.model_inputs import checked_inputs
from tvm_patdnn.library.seal import STANDALONE, Seal, check_seal
from tvm_patdnn.library.slow_notice import said_if_slow
from tvm_patdnn.tensor_spec import TensorSpec

if TYPE_CHECKING:
    from tvm_patdnn.library.metadata import Metadata

__all__ = ["StandaloneModel"]

_ALIGNMENT = 64  # outputs at such addresses are written in place


class _Options(ctypes.Structure):
    _fields_ = (
        ("threads", ctypes.c_int),
        ("check_weights", ctypes.c_int),
        ("memory", ctypes.c_void_p),
        ("memory_bytes", ctypes.c_size_t),
        ("cache", ctypes.c_char_p),  # only models for GPUs read it
    )


class _Tensor(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("dtype", ctypes.c_char_p),
        ("rank", ctypes.c_int),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("bytes", ctypes.c_size_t),
    )


class _Facts(ctypes.Structure):
    _fields_ = (
        ("channels", ctypes.c_int),
        ("mean", ctypes.c_void_p),
        ("std", ctypes.c_void_p),
        ("classes", ctypes.c_int),
        ("names", ctypes.c_void_p),
        ("json", ctypes.c_char_p),
    )


class StandaloneModel(ModelInterface):
    """A model that needs no TVM.

    Several threads may use it: they take turns; load the file again for more at once.

    Attributes:
        metadata: its inputs, outputs and layers.
    """

    def __init__(
        self,
        path: Path,
        num_threads: int | None = None,
        *,
        check_weights: bool = False,
        sealed: Seal | None = None,
    ) -> None:
        """Loads the library, and opens its device if it is for a GPU.

        Args:
            num_threads: that compute; one per physical core by default.
            check_weights: read all weights, too, to see that none is damaged.
            sealed: what ``check_seal`` said, where the file has been checked.

        Raises:
            LibraryError: it is damaged, for another CPU, or its memory and threads are not to
                be had.
        """
        self._path = path
        if sealed is None:
            check_loads_here(path)
            sealed = check_seal(path, (STANDALONE,), weights=check_weights)
        self._name = sealed.name
        with fresh_name(path, sealed.crc32) as name:
            try:
                self._library = ctypes.CDLL(str(name))
            except OSError as error:
                raise LibraryError(f"{path}: cannot be loaded: {error}") from error
        self._run = self._function("run", ctypes.c_int, *[ctypes.c_void_p] * 3)
        self._turn = threading.Lock()
        self._instance = ctypes.c_void_p()
        create = self._function("create", ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
        cache = self._cache()
        options = _Options(threads=num_threads or 0, cache=cache)
        with said_if_slow(self._driver_compiles(cache)) if self._is_for_gpu else nullcontext():
            self._check(create(ctypes.byref(self._instance), ctypes.byref(options)))
        destroy = self._function("destroy", None, ctypes.c_void_p)
        weakref.finalize(self, destroy, self._instance)

    @cached_property
    def inputs(self) -> Mapping[str, TensorSpec]:
        """Shape and dtype of each input, by name and in order."""
        return dict(self._tensors("input"))

    @cached_property
    def outputs(self) -> Mapping[str, TensorSpec]:
        """The same of each output."""
        return dict(self._tensors("output"))

    @cached_property
    def metadata(self) -> Metadata:  # type: ignore[override]
        """Its inputs, outputs and layers."""
        from tvm_patdnn.library.metadata import read_metadata  # here: running needs none of it

        about = self._function("about", ctypes.POINTER(_Facts))
        return read_metadata(about().contents.json)

    def _tensors(self, kind: str) -> Iterator[tuple[str, TensorSpec]]:
        tensor = self._function(kind, ctypes.POINTER(_Tensor), ctypes.c_int)
        for found in itertools.takewhile(bool, map(tensor, itertools.count())):
            each = found.contents
            spec = TensorSpec(tuple(each.shape[: each.rank]), each.dtype.decode())
            yield each.name.decode(), spec

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Computes the outputs.

        Args:
            inputs: an array for each input, by name, of the shape and dtype it was built for.

        Returns:
            The outputs by name.

        Raises:
            LibraryError: an input is missing, unknown, or of another shape or dtype; or the
                process was forked after loading.
        """
        arrays = checked_inputs(self.inputs, inputs)
        results = {name: _aligned(spec) for name, spec in self.outputs.items()}
        with self._turn:
            code = self._run(self._instance, _pointers(arrays), _pointers([*results.values()]))
        self._check(code)
        return results

    def time(self, inputs: Mapping[str, np.ndarray], repeats: int = 20) -> list[float]:
        """Measures the latency.

        Returns:
            Seconds of each of ``repeats`` runs, after one that warms up.
        """
        arrays = [_aligned_copy(array) for array in checked_inputs(self.inputs, inputs)]
        results = [_aligned(spec) for spec in self.outputs.values()]
        given, made = _pointers(arrays), _pointers(results)
        with self._turn:
            self._check(self._run(self._instance, given, made))
            return [self._seconds(given, made) for _ in range(repeats)]

    def _seconds(self, given: ctypes.Array, made: ctypes.Array) -> float:
        start = time.perf_counter()
        self._run(self._instance, given, made)
        return time.perf_counter() - start

    def _about(self) -> list[str]:
        return [str(self._path)]

    def _function(self, name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
        function = getattr(self._library, f"{self._name}_{name}")
        function.restype, function.argtypes = result, arguments
        return function

    @property
    def _is_for_gpu(self) -> bool:
        return hasattr(self._library, f"{self._name}_details")

    def _cache(self) -> bytes | None:
        """A folder for what a GPU's driver compiles; None where there is none to be had."""
        if not self._is_for_gpu:
            return None
        base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
        folder = Path(base) / "tvm-patdnn" / "opencl"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            return None
        return os.fsencode(folder)

    def _driver_compiles(self, cache: bytes | None) -> str:
        later = f"the next time it is read from {os.fsdecode(cache)}" if cache else "each time"
        return f"{self._path}: the GPU's driver compiles the kernels ({later})"

    def _check(self, code: int) -> None:
        if not code:
            return
        said = self._function("error", ctypes.c_char_p, ctypes.c_int)(code).decode()
        details = self._function("details", ctypes.c_char_p)() if self._is_for_gpu else b""
        more = f" ({' '.join(details.decode(errors='replace').split())})" if details else ""
        raise LibraryError(f"{self._path}: {said}{more}")


def _aligned(spec: TensorSpec) -> np.ndarray:
    """An array whose memory a model writes in place."""
    dtype = np.dtype(spec.dtype)
    size = int(np.prod(spec.shape, dtype=np.int64)) * dtype.itemsize
    raw = np.empty(size + _ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % _ALIGNMENT
    return raw[start : start + size].view(dtype).reshape(spec.shape)


def _aligned_copy(array: np.ndarray) -> np.ndarray:
    copy = _aligned(TensorSpec(array.shape, str(array.dtype)))
    copy[...] = array
    return copy


def _pointers(arrays: Sequence[np.ndarray]) -> ctypes.Array:
    return (ctypes.c_void_p * len(arrays))(*[array.ctypes.data for array in arrays])
