"""The result of a comparison: one row for each system, kept as lines of JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import Enum
from pathlib import Path
from typing import Any

from tvm_patdnn.errors import BenchError

__all__ = ["Row", "Status", "json_line", "read_rows"]


class Status(str, Enum):
    """How it went."""

    OK = "ok"
    UNCHECKED = "unchecked"  # measured, but there was no reference to compare with
    WRONG = "wrong"  # its outputs are not the reference's
    MISSING = "missing"  # not installed
    FAILED = "failed"
    TIMEOUT = "timeout"
    INTERRUPTED = "interrupted"  # before it was measured


@dataclass(frozen=True, kw_only=True)
class Row:
    """One system on one model; what was not measured is None.

    Attributes:
        model: the file's name without its ending.
        layer: the convolution it was cut down to; None for the whole model.
        series: "ladder", or the name of the sweep of which it is a point; None for neither.
        value: what is swept: threads, patterns, ...
        system: its name.
        status: how it went; ``message`` says more.
        threads: that were allowed to compute.
        median_s, p10_s, p90_s: seconds of a run.
        repeats: timed runs.
        ratio: its time over ours; the median of the rounds.
        max_rel_error: largest difference from the reference over the largest output.
        peak_rss_bytes: of the process that runs it; of these ``base_rss_bytes`` were in use
            before the model was loaded.
        library_bytes: what is shipped besides the runtime.
        build_s: seconds to convert and to load the model.
        versions: of its packages.
        cpu: the machine's.
        date: ISO date of the run.
        command: that gave this row.
        facts: what only this system tells; ours: its layers, with their share of the peak.
    """

    model: str
    layer: str | None = None
    series: str | None = None
    value: float | None = None
    system: str
    status: Status
    message: str = ""
    threads: int
    median_s: float | None = None
    p10_s: float | None = None
    p90_s: float | None = None
    repeats: int = 0
    ratio: float | None = None
    max_rel_error: float | None = None
    peak_rss_bytes: int | None = None
    base_rss_bytes: int | None = None
    library_bytes: int | None = None
    build_s: float | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    cpu: str
    date: str
    command: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def counts(self) -> bool:
        """Whether its time may be compared."""
        return self.median_s is not None and self.status in (Status.OK, Status.UNCHECKED)

    @property
    def title(self) -> str:
        """What was run: the model, or the layer of it."""
        return f"{self.model} {self.layer}" if self.layer else self.model


def json_line(row: Row) -> str:
    """Returns the row as JSON without a line break."""
    return json.dumps(asdict(row))


def read_rows(paths: Iterable[str | Path]) -> list[Row]:
    """Reads files of rows.

    Raises:
        BenchError: a file cannot be read, or a line is not a row.
    """
    rows = []
    for path in paths:
        try:
            lines = Path(path).read_text().splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise BenchError(f"{path}: cannot be read: {error}") from error
        rows += [
            _row(line, f"{path}:{number}") for number, line in enumerate(lines, 1) if line.strip()
        ]
    return rows


def _row(line: str, where: str) -> Row:
    try:
        stored = json.loads(line)
        known = {each.name for each in fields(Row)}
        row = Row(**{name: value for name, value in stored.items() if name in known})
        return Row(**{**vars(row), "status": Status(row.status)})
    except (ValueError, TypeError, AttributeError) as error:
        raise BenchError(
            f"{where}: is not a row of a comparison ({error}); give files that "
            "`tvm-patdnn bench --json FILE` wrote"
        ) from error
