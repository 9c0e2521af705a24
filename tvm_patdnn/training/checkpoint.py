"""Files that a run continues from, and that keep a trained dense network."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from tvm_patdnn.errors import TrainingError
from tvm_patdnn.whole_file import write_whole

__all__ = ["check_same", "load_checkpoint", "save_checkpoint", "taking"]

_FORMAT = 1


def save_checkpoint(path: Path, kind: str, facts: Mapping[str, Any], **state: Any) -> None:
    """Writes a checkpoint, whole or not at all.

    Args:
        kind: what it is of, for ``load_checkpoint`` to check.
        facts: what a run must have in common to use it.
        state: tensors, numbers, strings, and containers of these.
    """
    with write_whole(path) as partial:
        torch.save({"format": _FORMAT, "kind": kind, "facts": dict(facts), **state}, partial)


def load_checkpoint(path: Path, kind: str) -> dict[str, Any]:
    """Reads what ``save_checkpoint`` wrote; nothing in it is executed.

    Raises:
        TrainingError: it cannot be read, or is of another kind.
    """
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, KeyError) as error:
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise TrainingError(f"{path}: is not a checkpoint that can be read: {said}") from error
    found = (stored.get("format"), stored.get("kind")) if isinstance(stored, dict) else None
    if found != (_FORMAT, kind):
        raise TrainingError(
            f"{path}: is not the checkpoint of a {kind} of this version; give another file"
        )
    loaded: dict[str, Any] = stored
    return loaded


@contextmanager
def taking(path: Path) -> Iterator[None]:
    """Names the checkpoint where what is taken from it does not fit, or is not there.

    Raises:
        TrainingError: the block raised an error of another kind.
    """
    try:
        yield
    except (RuntimeError, KeyError, TypeError, ValueError, AttributeError) as error:
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise TrainingError(
            f"{path}: does not fit the network as it is now, or lacks something "
            f"({type(error).__name__}: {said}); use the network that wrote it, or begin anew with "
            "--overwrite and another --dense"
        ) from error


def check_same(path: Path, stored: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    """Checks that a checkpoint fits this run.

    Raises:
        TrainingError: it was written by a run with other settings; the message lists them.
    """
    differing = [
        f"{name} {stored.get(name)!r} there, {value!r} here"
        for name, value in facts.items()
        if stored.get(name) != value
    ]
    if differing:
        raise TrainingError(
            f"{path}: was written by another run: {'; '.join(differing)}; "
            "use the same options, or give another file"
        )
