"""The output folder of a training run: one run at a time, and none lost by mistake."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from tvm_patdnn.errors import TrainingError

__all__ = ["run_folder"]

_RUN = ("checkpoint.pt", "pruned.onnx")  # what a run leaves
_LOCK = ".lock"


@contextmanager
def run_folder(folder: Path, *, resume: bool, overwrite: bool) -> Iterator[None]:
    """Keeps other runs out of the folder while this one lasts.

    Args:
        folder: exists.
        resume: a run that is there is to be continued.
        overwrite: a run that is there may be lost.

    Raises:
        TrainingError: another process is training there, or there is a run and neither
            ``resume`` nor ``overwrite``.
    """
    lock = FileLock(folder / _LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise TrainingError(
            f"{folder}: another process is training there; wait for it, or give another folder"
        ) from None
    try:
        there = [name for name in _RUN if (folder / name).exists()]
        if there and not (resume or overwrite):
            raise TrainingError(
                f"{folder}: holds a run already ({', '.join(there)}); --resume continues it, "
                "--overwrite begins anew, or give another folder"
            )
        yield
    finally:
        lock.release()
