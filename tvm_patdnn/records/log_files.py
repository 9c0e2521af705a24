"""Which files the tuning records are read from; it is found without TVM."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.resources import files
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

from tvm_patdnn.errors import TuningError

__all__ = ["VARIABLE", "Traversable", "log_files"]

VARIABLE = "TVM_PATDNN_LOGS"  # in the environment: what is read by default; empty: nothing

Traversable: TypeAlias = Any  # importlib.resources.abc has it from Python 3.11 on


def log_files(logs: str | PathLike[str] | None = None) -> Iterator[Traversable]:
    """Yields the files of a log, in the order of their names.

    Args:
        logs: a file of records, or a folder of ``*.jsonl``; by default what ``VARIABLE`` says,
            else those shipped; "" for none.

    Raises:
        TuningError: there is no such file or folder.
    """
    given = logs if logs is not None else os.environ.get(VARIABLE)
    if given is None:
        yield from _files_below(files("autotune_logs"))
    elif given != "":
        yield from _files_at(Path(given))


def _files_at(path: Path) -> Iterator[Traversable]:
    if not path.exists():
        raise TuningError(f"{path}: no such file or folder; give the log that tuning wrote")
    if path.is_dir():
        yield from _files_below(path)
    else:
        yield path


def _files_below(folder: Traversable) -> Iterator[Traversable]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _files_below(entry)
        elif entry.name.endswith(".jsonl"):
            yield entry
