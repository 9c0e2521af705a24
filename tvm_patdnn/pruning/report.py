"""What pruning did to each layer, as rows and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from relay_passes.recognition.cover_patterns import zeros_stored
from tvm_patdnn.sparse.patterns import find_patterns

__all__ = ["PrunedLayer", "describe_layer", "format_table"]


@dataclass(frozen=True, kw_only=True)
class PrunedLayer:
    """One convolution after pruning.

    Attributes:
        name: the layer's node, else its weight.
        shape: of the weight, (out_c, in_c per group, kh, kw); empty if not constant.
        patterns: number of distinct patterns in the weight.
        kernels: number of kernels of the dense layer.
        kept_kernels: number of kernels that are not zero.
        dense_weights: number of weights of the dense layer.
        kept_weights: number of weights that are not zero.
        reason: why the layer was left alone; None if it was pruned.
        zeros: what its rare patterns cost in an fp32 build; empty where they cost nothing.
    """

    name: str
    shape: tuple[int, ...] = ()
    patterns: int = 0
    kernels: int = 0
    kept_kernels: int = 0
    dense_weights: int = 0
    kept_weights: int = 0
    reason: str | None = None
    zeros: str = ""

    @property
    def compression(self) -> float:
        """Dense weights over kept weights."""
        return _ratio(self.dense_weights, self.kept_weights)


def describe_layer(name: str, weight: np.ndarray | None, reason: str | None) -> PrunedLayer:
    """Counts what is left in ``weight``: (out_c, in_c, kh, kw), None if not constant."""
    if weight is None:
        return PrunedLayer(name=name, reason=reason)
    if weight.ndim != 4:
        kept = int(np.count_nonzero(weight))
        return PrunedLayer(
            name=name,
            shape=weight.shape,
            dense_weights=weight.size,
            kept_weights=kept,
            reason=reason,
        )
    found = find_patterns(weight)
    return PrunedLayer(
        name=name,
        shape=weight.shape,
        patterns=len(found.patterns),
        kernels=found.ids.size,
        kept_kernels=found.kept_kernels,
        dense_weights=weight.size,
        kept_weights=found.kept_weights,
        reason=reason,
        zeros=zeros_stored(found),
    )


def format_table(rows: Sequence[PrunedLayer]) -> str:
    """Returns the rows as a text table, with the sum over all convolutions below."""
    header = ("layer", "shape", "patterns", "kernels kept", "compression", "")
    cells = [header, *(_cells(row) for row in rows), _total(rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(_format_line(line, widths) for line in cells)


def _cells(row: PrunedLayer) -> tuple[str, ...]:
    return (
        row.name,
        "x".join(map(str, row.shape)),
        str(row.patterns),
        f"{row.kept_kernels} of {row.kernels}",
        f"{row.compression:.2f}x",
        f"left alone: {row.reason}" if row.reason else row.zeros,
    )


def _total(rows: Sequence[PrunedLayer]) -> tuple[str, ...]:
    dense, kept = (sum(getattr(r, f"{w}_weights") for r in rows) for w in ("dense", "kept"))
    kernels = f"{sum(r.kept_kernels for r in rows)} of {sum(r.kernels for r in rows)}"
    pruned = sum(row.reason is None for row in rows)
    note = f"{pruned} of {len(rows)} pruned"
    return ("all convolutions", "", "", kernels, f"{_ratio(dense, kept):.2f}x", note)


def _ratio(dense: int, kept: int) -> float:
    if dense == kept:
        return 1.0
    return dense / kept if kept else float("inf")


def _format_line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Aligns the names to the left and the numbers to the right."""
    name, shape, *numbers, note = map(str.rjust, cells, widths)
    left = (name.strip().ljust(widths[0]), shape.strip().ljust(widths[1]))
    return "  ".join([*left, *numbers, note.strip()]).rstrip()
