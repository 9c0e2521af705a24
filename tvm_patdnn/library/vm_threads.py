"""Sets how many threads a model of TVM's virtual machine computes with, each its own number."""

from __future__ import annotations

import os
import threading

import tvm_ffi

from tvm_patdnn.errors import LibraryError
from tvm_patdnn.machine.threads import VARIABLE

__all__ = ["check_threads", "compute_with"]

_FAST_CORES = 1  # TVM's word for where threads are put, and its default
_ALL = 0  # of the pool

_chosen = threading.local()  # TVM has a pool of threads for each thread that runs models


def check_threads(num_threads: int | None) -> None:
    """Checks that TVM's pool has as many threads.

    Raises:
        LibraryError: it has not.
    """
    most = int(os.environ[VARIABLE])
    if num_threads is not None and not 1 <= num_threads <= most:
        raise LibraryError(
            f"num_threads={num_threads}: expected 1 to {most}; for more than one per physical "
            f"core, set {VARIABLE} in the environment before Python starts"
        )


def compute_with(num_threads: int | None) -> None:
    """Lets what this thread runs next use ``num_threads``; all of the pool by default."""
    count = num_threads or _ALL
    if getattr(_chosen, "count", _ALL) != count:
        tvm_ffi.get_global_func("runtime.config_threadpool")(_FAST_CORES, count)
        _chosen.count = count
