"""What TVM's own tuner found for dense convolutions, a JSON file for each.

Files lie in ``autotune_logs/dense``: a folder for each CPU, as LLVM calls it, in that one for
each number of threads. Each is written whole, so that tuning can be stopped at any time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

from tvm_patdnn.bench.dense_tuning.tuned_convolutions import ConvShape
from tvm_patdnn.errors import TuningError
from tvm_patdnn.whole_file import write_whole

__all__ = ["DenseRecord", "read_dense_records", "record_path", "shipped_folder", "write_record"]

FORMAT = 1  # raised when the meaning of a field changes


@dataclass(frozen=True, kw_only=True)
class DenseRecord:
    """One convolution on one CPU.

    Attributes:
        cpu: LLVM's name of the CPU.
        machine: what the machine calls it.
        threads: that computed.
        tvm: the version that made the functions which the trace schedules.
        shape: the convolution; it was measured with a bias and a ReLU.
        trials: schedules that were measured.
        trace: the fastest, see ``trace_to_json``; None where none ran with right results.
        tuned_s: seconds of the layer as the trace schedules it.
        ours_s: seconds of our own dense kernel, measured in turns with it.
    """

    cpu: str
    machine: str
    threads: int
    tvm: str
    shape: ConvShape
    trials: int
    trace: Any
    tuned_s: float | None
    ours_s: float


def shipped_folder() -> Path:
    """Returns where the records that come with the package are."""
    return Path(str(files("autotune_logs"))) / "dense"


def record_path(folder: Path, cpu: str, threads: int, shape: ConvShape) -> Path:
    """Returns the file of a record."""
    parts = [
        *("x".join(map(str, size)) for size in (shape.in_shape, shape.weight_shape)),
        *("x".join(map(str, size)) for size in (shape.stride, shape.dilation, shape.padding)),
        str(shape.groups),
    ]
    name = "-".join(map("".join, zip(("in", "weight", "s", "d", "p", "g"), parts, strict=True)))
    return folder / cpu / f"{threads}-threads" / f"{name}.json"


def write_record(folder: Path, record: DenseRecord) -> Path:
    """Writes the file of a record, whole or not at all, and returns its path.

    Raises:
        BuildError: it cannot be written.
    """
    path = record_path(folder, record.cpu, record.threads, record.shape)
    path.parent.mkdir(parents=True, exist_ok=True)
    with write_whole(path) as partial:
        partial.write_text(json.dumps({"format": FORMAT, **asdict(record)}) + "\n")
    return path


def read_dense_records(folder: Path) -> list[DenseRecord]:
    """Reads all records below a folder; none where there is no folder.

    Raises:
        TuningError: a file is not a record of this format.
    """
    return list(map(_read, sorted(folder.rglob("*.json"))))


def _read(path: Path) -> DenseRecord:
    try:
        values = json.loads(path.read_text())
        if values.pop("format") != FORMAT:
            raise ValueError("another format")
        shape = ConvShape(**{key: _sizes(value) for key, value in values.pop("shape").items()})
        return DenseRecord(shape=shape, **_known(values))
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise TuningError(
            f"{path}: is not a record of a dense convolution of format {FORMAT} ({error}); tune "
            "again with this version, or remove the file"
        ) from error


def _sizes(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _known(values: dict[str, Any]) -> dict[str, Any]:
    names: Iterable[str] = (each.name for each in fields(DenseRecord))
    if unknown := set(values) - set(names):
        raise ValueError(f"unknown fields {sorted(unknown)}")
    return values
