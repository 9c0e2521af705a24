"""Shows the rows of a ladder: what each step of the compiler gains over dense."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

from tvm_patdnn.bench.bars import draw_groups
from tvm_patdnn.bench.rows import Row
from tvm_patdnn.bench.systems.rungs import DENSE_RUNG, TOP_RUNG
from tvm_patdnn.bench.table import by_system, only_share, threads_text
from tvm_patdnn.plots.drawing import milliseconds

__all__ = ["draw", "finding", "speeds", "tables", "title"]


def title(rows: Sequence[Row]) -> str:
    """Returns what was climbed."""
    return f"The ladder on {rows[0].model}, {threads_text(rows[0])}"


def finding(rows: Sequence[Row]) -> str:
    """Returns how many times as fast as dense each rung is, in the median of the layers."""
    gained = {name: [*speeds(each, rows).values()] for name, each in by_system(rows).items()}
    said = [
        f"{name} {median(ratios):.2g}x"
        for name, ratios in gained.items()
        if ratios and name != DENSE_RUNG.name
    ]
    layers = len({row.layer for row in rows})
    of_layers = f", in the median of {layers} layers" if layers > 1 else ""
    compared = ", ".join(said) if said else "nothing was measured"
    return f"{title(rows)}: speed over {DENSE_RUNG.name}{of_layers}: {compared}"


def speeds(rung: Sequence[Row], rows: Sequence[Row]) -> dict[str, float]:
    """Returns how many times as fast as dense a rung is, by layer.

    Args:
        rung: its rows.
        rows: of all rungs.
    """
    dense = {_layer(row): row for row in rows if row.system == DENSE_RUNG.name and row.counts}
    pairs = {_layer(row): (dense[_layer(row)], row) for row in rung if _layer(row) in dense}
    return {layer: _speed(*pair) for layer, pair in pairs.items() if pair[1].counts}


def tables(rows: Sequence[Row]) -> list[list[tuple[str, ...]]]:
    """Returns the times, with how many times as fast as dense; loads and products, if counted."""
    systems = by_system(rows)
    gained = {name: speeds(each, rows) for name, each in systems.items()}
    times: list[tuple[str, ...]] = [("layer, ms", *systems, f"{TOP_RUNG.name}: of peak")]
    counts: list[tuple[str, ...]] = [("layer, million vectors loaded / multiplied", *systems, "")]
    for layer in dict.fromkeys(map(_layer, rows)):
        at = {name: _at(each, layer) for name, each in systems.items()}
        cells = (_time(row, gained[name].get(layer)) for name, row in at.items())
        times.append((layer, *cells, only_share(at.get(TOP_RUNG.name))))
        counts.append((layer, *map(_counts, at.values()), ""))
    counted = any(any(row[1:]) for row in counts[1:])
    return [times, counts] if counted else [times]


def draw(figure: Any, rows: Sequence[Row]) -> None:
    """Draws bars for each layer, one for each rung: how many times as fast as dense."""
    layers = [*dict.fromkeys(map(_layer, rows))]
    systems = by_system(rows)
    values = {name: speeds(each, rows) for name, each in systems.items()}
    del values[DENSE_RUNG.name]
    axes = draw_groups(figure, layers, values, "times as fast as dense", finding(rows))
    axes.axvline(1, color="#444444", linewidth=1)


def _speed(dense: Row, row: Row) -> float:
    if dense.ratio and row.ratio:  # of the same rounds
        return dense.ratio / row.ratio
    return (dense.median_s or 0.0) / (row.median_s or 1.0)


def _layer(row: Row) -> str:
    return row.layer or row.model


def _at(rows: Sequence[Row], layer: str) -> Row | None:
    return next((row for row in rows if _layer(row) == layer), None)


def _time(row: Row | None, speed: float | None) -> str:
    if row is None or not row.counts:
        return row.status.value if row is not None else ""
    compared = f" ({speed:.2g}x)" if speed and row.system != DENSE_RUNG.name else ""
    return f"{milliseconds(row.median_s):.3g}{compared}"


def _counts(row: Row | None) -> str:
    facts = row.facts if row is not None else {}
    return " / ".join(f"{facts[name] / 1e6:.3g}" for name in ("loads", "products") if name in facts)
