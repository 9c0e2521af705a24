"""Shows the rows of a model's layers as text."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from tvm_patdnn.bench.rows import Row
from tvm_patdnn.bench.systems import DENSE, OURS
from tvm_patdnn.bench.table import by_system, only_share, threads_text, times_text

__all__ = ["layer_cells", "layer_header", "layer_tables", "layers_finding", "layers_title"]


def layers_title(rows: Sequence[Row]) -> str:
    """Returns the model whose layers they are, and how many threads."""
    return f"{rows[0].model} by layer, {threads_text(rows[0])}"


def layers_finding(rows: Sequence[Row]) -> str:
    """Returns the result on the layers of one model in a sentence."""
    setting = layers_title(rows)
    ours = {
        row.layer: row.median_s or 0.0 for row in rows if row.system == OURS.name and row.counts
    }
    fastest = [
        layer
        for layer, seconds in ours.items()
        if all(
            seconds <= (row.median_s or 0.0) for row in rows if row.layer == layer and row.counts
        )
    ]
    text = f"{setting}: {OURS.name} is the fastest on {len(fastest)} of {len(ours)} layers"
    ratios = [row.ratio for row in rows if row.system == DENSE.name and row.counts and row.ratio]
    return f"{text}; {times_text(median(ratios))} {DENSE.name} in the median" if ratios else text


def layer_tables(rows: Sequence[Row]) -> list[Sequence[Sequence[str]]]:
    """Returns the table of layers."""
    return [[layer_header(rows), *layer_cells(rows)]]


def layer_header(rows: Sequence[Row]) -> tuple[str, ...]:
    """Returns the header of a table of layers: a column for each system."""
    return ("layer, ms", *by_system(rows), "our kernel: of peak")


def layer_cells(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """Returns a row for each layer; after a time, how many times ours it is."""
    table = []
    for layer in dict.fromkeys(row.layer for row in rows):
        of_layer = {row.system: row for row in rows if row.layer == layer}
        times = [_layer_time(of_layer.get(name)) for name in by_system(rows)]
        table.append((str(layer), *times, only_share(of_layer.get(OURS.name))))
    return table


def _layer_time(row: Row | None) -> str:
    if row is None or row.median_s is None:
        return row.status.value if row is not None else ""
    if not row.counts:
        return row.status.value
    factor = f" ({row.ratio:.1f}x)" if row.ratio and row.system != OURS.name else ""
    return f"{row.median_s * 1e3:.3f}{factor}"
