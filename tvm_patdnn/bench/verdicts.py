"""What rows say beyond their own table: how good the dense baseline is, and where we lose."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from tvm_patdnn.bench.rows import Row
from tvm_patdnn.bench.systems import DENSE, OURS, REFERENCE
from tvm_patdnn.bench.table import by_speed, by_system

__all__ = ["baseline_text", "slower_table", "summary_table"]

_SLOWER_HEADER = ("model", "threads", "faster than we are: its time over ours")
_SUMMARY_HEADER = (
    "model",
    "threads",
    "ours, ms",
    f"over {DENSE.name}",
    f"over {REFERENCE.name}",
    "fastest other",
    f"{DENSE.name} / {REFERENCE.name}",
)


def baseline_text(rows: Sequence[Row]) -> str:
    """Returns how the dense baseline compares with ONNX Runtime, or nothing."""
    ratio = _baseline_ratio(rows)
    return f"{DENSE.name} takes {ratio:.2f}x the time of {REFERENCE.name}." if ratio else ""


def summary_table(groups: Sequence[Sequence[Row]]) -> list[tuple[str, ...]]:
    """Returns a row for each model: how many times as fast as the others ours is.

    Args:
        groups: each of one model.
    """
    return [_SUMMARY_HEADER, *map(_summary, groups)]


def slower_table(groups: Sequence[Sequence[Row]]) -> list[tuple[str, ...]]:
    """Returns a row for each model, layer and point at which a system is faster than ours."""
    table: list[tuple[str, ...]] = [_SLOWER_HEADER]
    for rows in groups:
        places = list(dict.fromkeys(_place(row) for row in rows))
        for place in places:
            ahead = _ahead([row for row in rows if _place(row) == place])
            if ahead:
                table.append((*place, ", ".join(f"{r.system} {r.ratio:.2f}x" for r in ahead)))
    return table


def _ahead(rows: Sequence[Row]) -> list[Row]:
    return [row for row in by_speed(rows) if row.counts and row.ratio and row.ratio < 1]


def _place(row: Row) -> tuple[str, str]:
    value = f" ({row.series} {row.value:g})" if row.value is not None else ""
    return f"{row.title}{value}", str(row.threads)


def _summary(rows: Sequence[Row]) -> tuple[str, ...]:
    counted = {row.system: row for row in rows if row.counts}
    ours = counted.get(OURS.name)
    others = [row for row in by_speed(counted.values()) if row.ratio and row.system != OURS.name]
    fastest = f"{others[0].system} {others[0].ratio:.2f}x" if others else ""
    baseline = _baseline_ratio(rows)
    return (
        rows[0].model,
        str(rows[0].threads),
        f"{ours.median_s * 1e3:.3g}" if ours and ours.median_s else "",
        _over(counted.get(DENSE.name)),
        _over(counted.get(REFERENCE.name)),
        fastest,
        f"{baseline:.2f}" if baseline else "",
    )


def _over(row: Row | None) -> str:
    return f"{row.ratio:.2f}x" if row and row.ratio else ""


def _baseline_ratio(rows: Sequence[Row]) -> float | None:
    """The median over the layers, or points, at which both were measured."""
    systems = by_system(row for row in rows if row.counts and row.ratio)
    times = {_place(row): row.ratio for row in systems.get(REFERENCE.name, []) if row.ratio}
    ratios = [
        row.ratio / times[_place(row)]
        for row in systems.get(DENSE.name, [])
        if row.ratio and _place(row) in times
    ]
    return median(ratios) if ratios else None
