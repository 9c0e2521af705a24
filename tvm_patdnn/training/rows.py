"""One measured row per run: what was trained, how, and what came out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from tvm_patdnn.errors import TrainingError
from tvm_patdnn.row_file import append_lines

__all__ = ["TrainRow", "append_row", "read_rows"]


@dataclass(frozen=True, kw_only=True)
class TrainRow:
    """A run and its result.

    Attributes:
        network, data, method, seed: as in the options.
        train_images, test_images: how many of each.
        scope, filter_block, filter_grouping, patterns, entries, connectivity: of the pruning;
            ``connectivity`` is the rate asked for, before a goal changed it by layer.
        rates: by layer, where there are such.
        dense_epochs, prune_epochs, retrain_epochs: of the phases.
        top1_dense, top5_dense: percent, of the pretrained network before the pruning phase.
        top1_projected: right after the hard projection, batch norms settled.
        top1_pruned, top5_pruned: at the end; of method ``dense`` those of the dense network
            after as many epochs.
        compression_macs, compression_weights: of all convolutions.
        compression_3x3: by weights, of the pruned 3x3 layers.
        dense_macs, kept_macs: of one image, all convolutions.
        distill: weight of the teacher's outputs in retraining.
        teacher: its name; empty for the pretrained dense network.
        rewind: the epoch of pretraining, or ``fresh``, that retraining took its weights from;
            None for those that pruning left.
        settings: all others.
        seconds: of training, pretraining included where this run did it.
        device: the processor, and the precision of products.
        threads: of the CPU.
        versions: of what computed.
        date: UTC.
        command: to repeat it.
    """

    network: str
    data: str
    method: str
    seed: int
    train_images: int
    test_images: int
    scope: str
    filter_block: int = 1
    filter_grouping: str = "neighbours"
    patterns: int
    entries: int
    connectivity: float
    rates: Mapping[str, float] = field(default_factory=dict)
    dense_epochs: int
    prune_epochs: int
    retrain_epochs: int
    top1_dense: float
    top5_dense: float
    top1_projected: float
    top1_pruned: float
    top5_pruned: float
    compression_macs: float
    compression_weights: float
    compression_3x3: float
    dense_macs: int
    kept_macs: int
    distill: float = 0.0
    teacher: str = ""
    rewind: int | str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    seconds: float
    device: str
    threads: int
    versions: Mapping[str, str] = field(default_factory=dict)
    date: str
    command: str

    @property
    def epochs(self) -> int:
        """All epochs, from the first of the pretraining on."""
        return self.dense_epochs + self.prune_epochs + self.retrain_epochs


def append_row(row: TrainRow, path: Path) -> None:
    """Adds one line to ``path``, which several runs may write at a time."""
    append_lines(path, [json.dumps(asdict(row))])


def read_rows(paths: Iterable[Path]) -> list[TrainRow]:
    """Reads files of rows.

    Raises:
        TrainingError: a file cannot be read, or a line is not a row.
    """
    rows = []
    for path in paths:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise TrainingError(f"{path}: cannot be read: {error}") from error
        numbered = enumerate(lines, 1)
        rows += [_row(line, f"{path}:{number}") for number, line in numbered if line.strip()]
    return rows


def _row(line: str, where: str) -> TrainRow:
    try:
        stored = json.loads(line)
        known = {each.name for each in fields(TrainRow)}
        return TrainRow(**{name: value for name, value in stored.items() if name in known})
    except (ValueError, TypeError, AttributeError) as error:
        raise TrainingError(
            f"{where}: is not a row of a training run: {error}; expected a line that "
            "`tvm-patdnn train --json` wrote"
        ) from error
