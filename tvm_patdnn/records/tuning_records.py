"""Schedules that were measured to be the fastest, kept as JSON lines.

A line is a ``Record``: the CPU, a convolution, one way to compute it and the seconds that
took. ``build`` reads those shipped in ``autotune_logs``, or the file or folder it is given,
and computes a layer as the fastest record for it says; layers without records are left to
the cost model.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.resources import files
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

from te_schedules.cpu.conv2d_schedule import Conv2dSchedule, Hold, Outer
from tvm_patdnn.errors import TuningError

__all__ = ["Record", "Records", "read_records", "record_line"]

Traversable: TypeAlias = Any  # importlib.resources.abc has it from Python 3.11 on
FORMAT = 3  # raised when the meaning of a schedule's fields changes
_MOST = 1 << 16  # of anything that a schedule counts
_CHOICES = {"hold": Hold, "outer": Outer}


@dataclass(frozen=True, kw_only=True)
class Record:
    """One measurement.

    Attributes:
        cpu: LLVM's name of the CPU.
        workload: the convolution, as ``ConvLayer.workload`` describes it.
        sparse: whether pruned work was skipped.
        seconds: median latency of the layer.
    """

    cpu: str
    workload: str
    sparse: bool
    schedule: Conv2dSchedule
    seconds: float


Records: TypeAlias = Mapping[tuple[str, bool], Record]  # the fastest, by workload and sparse


def record_line(record: Record) -> str:
    """Returns the record as a line of JSON."""
    return json.dumps({"format": FORMAT, **asdict(record)}, default=lambda choice: choice.value)


def read_records(cpu: str, logs: str | PathLike[str] | None = None) -> Records:
    """Reads the fastest records for a CPU.

    Args:
        cpu: LLVM's name of it.
        logs: a file of records, or a folder of ``*.jsonl``; by default those shipped.

    Raises:
        TuningError: there is no such file, or a line is not a record of this version.
    """
    fastest: dict[tuple[str, bool], Record] = {}
    for record in _read_logs(logs):
        key = (record.workload, record.sparse)
        if record.cpu == cpu and (key not in fastest or record.seconds < fastest[key].seconds):
            fastest[key] = record
    return fastest


def _read_logs(logs: str | PathLike[str] | None) -> Iterator[Record]:
    if logs is None:
        return _read_all(files("autotune_logs"))
    path = Path(logs)
    if not path.exists():
        raise TuningError(f"{path}: no such file or folder; give the log that tuning wrote")
    return _read_all(path) if path.is_dir() else _read_file(path)


def _read_all(folder: Traversable) -> Iterator[Record]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _read_all(entry)
        elif entry.name.endswith(".jsonl"):
            yield from _read_file(entry)


def _read_file(file: Traversable) -> Iterator[Record]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TuningError(f"{file}: cannot be read: {error}; give the log that tuning wrote") from (
            error
        )
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            yield _read_record(json.loads(line))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise TuningError(
                f"{file}:{number}: is not a tuning record of format {FORMAT} ({error}); tune again "
                "with this version, or remove the line"
            ) from error


def _read_record(values: Mapping[str, object]) -> Record:
    fields = dict(values)
    if fields.pop("format", None) != FORMAT:
        raise ValueError("another format")
    schedule = dict(fields.pop("schedule"))  # type: ignore[call-overload]
    for name, kind in _CHOICES.items():
        schedule[name] = kind(schedule[name])
    record = Record(schedule=Conv2dSchedule(**schedule), **fields)  # type: ignore[arg-type]
    _check_values(record)
    return record


def _check_values(record: Record) -> None:
    """Checks what the classes leave to whoever makes them.

    Raises:
        ValueError: a value is of another type, or out of its range.
    """
    kinds = {"cpu": str, "workload": str, "sparse": bool}
    for name, kind in kinds.items():
        if type(getattr(record, name)) is not kind:
            raise ValueError(f"{name} is {getattr(record, name)!r}, expected a {kind.__name__}")
    if type(record.seconds) not in (int, float) or not 0 < record.seconds < float("inf"):
        raise ValueError(f"seconds is {record.seconds!r}, expected a positive number")
    for name, value in vars(record.schedule).items():
        if name in _CHOICES or (name == "band" and value is None):
            continue
        if type(value) is not int or not 1 <= value <= _MOST:
            raise ValueError(f"{name} is {value!r}, expected a whole number from 1 to {_MOST}")
