"""How long the built networks take: beside the accuracies, in a file of their own.

A network is made and pruned as a run of the row would, but from first weights and without
training: the zeros are as many and of the same form. So every row has a latency, wherever it
was trained.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tvm_patdnn.errors import TrainingError
from tvm_patdnn.training.accuracy.configuration import attributes
from tvm_patdnn.training.rows import TrainRow
from tvm_patdnn.whole_file import write_whole

__all__ = ["Latencies", "by_structure", "read_latencies", "structure", "write_latencies"]

_UNTRAINED = ("admm", "gradual", "oneshot", "reweighted")  # they leave the same form of zeros


@dataclass(frozen=True, kw_only=True, eq=False)
class Latencies:
    """Measured in turns in one run.

    Attributes:
        milliseconds: the median for one image, by network and structure.
        device: the processor.
        threads: of the compiled networks.
        date: UTC.
        versions: of what computed.
    """

    milliseconds: Mapping[str, float]
    device: str
    threads: int
    date: str
    versions: Mapping[str, str]

    @property
    def text(self) -> str:
        """What they are, for the page."""
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        return (
            "Latency: one image, the median of runs taken in turns, of a network with zeros of the "
            f"same number and form from first weights, as this compiler builds it; {self.device}, "
            f"{self.threads} thread{'s' * (self.threads != 1)}, {self.date[:10]}, {versions}."
        )

    def of(self, row: TrainRow) -> float | None:
        """Returns the milliseconds of a row's network, None where they were not measured."""
        return self.milliseconds.get(structure(row))


def structure(row: TrainRow) -> str:
    """Returns what a row's latency depends on: the network, and the form of its zeros."""
    own = attributes(row)
    form = "patterns" if row.method in _UNTRAINED else row.method
    parts = [row.network, row.data, form]
    if row.method != "dense":
        names = ("patterns", "connectivity", "rates", "scope", "blocks")
        parts += [f"{name} {own[name]}" for name in names]
    return "; ".join(parts)


def write_latencies(latencies: Latencies, path: Path) -> None:
    """Writes the file.

    Raises:
        BuildError: it cannot be written.
    """
    with write_whole(path) as partial:
        partial.write_text(json.dumps(asdict(latencies), indent=1) + "\n", encoding="utf-8")


def read_latencies(path: Path) -> Latencies:
    """Reads what ``write_latencies`` wrote.

    Raises:
        TrainingError: it cannot be read, or holds something else.
    """
    try:
        return Latencies(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise TrainingError(
            f"{path}: cannot be read: {error}; expected a file that `tvm-patdnn train --time` wrote"
        ) from error


def by_structure(rows: Sequence[TrainRow], data: str) -> dict[str, TrainRow]:
    """Returns one row of each structure on the data set of that name."""
    return {structure(row): row for row in reversed(rows) if row.data == data}
