"""What the race of the searches measured of each layer, and files of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tvm_patdnn.errors import BenchError

__all__ = ["SearchRow", "read_search_rows", "search_lines"]


@dataclass(frozen=True, kw_only=True)
class SearchRow:
    """One layer.

    Attributes:
        genetic_s, random_s, default_s: the winners and the default, measured in turns.
        genetic_course, random_course: the best so far after each trial, in seconds.
        correlation: of the learned model's ranks with those measured, of the random trials of
            this layer, learned from the random trials of the others; None of one layer alone.
    """

    layer: str
    cpu: str
    threads: int
    genetic_s: float | None
    random_s: float | None
    default_s: float | None
    genetic_course: list[float]
    random_course: list[float]
    correlation: float | None


def search_lines(rows: Sequence[SearchRow]) -> list[str]:
    """Returns a line for each row, as files have them."""
    return [json.dumps(asdict(row)) for row in rows]


def read_search_rows(path: Path) -> list[SearchRow]:
    """Reads the rows of a file: of each layer, CPU and number of threads the last.

    Raises:
        BenchError: it cannot be read.
    """
    try:
        rows = [SearchRow(**json.loads(line)) for line in path.read_text().splitlines() if line]
    except (OSError, ValueError, TypeError) as error:
        raise BenchError(
            f"{path}: is not a file of rows ({error}); give what "
            "python -m tvm_patdnn.bench.searches --json wrote"
        ) from error
    return list({(row.layer, row.cpu, row.threads): row for row in rows}.values())
