"""Shows rows as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tvm_patdnn.bench.rows import Row, Status
from tvm_patdnn.bench.systems import DENSE, OURS

__all__ = [
    "HEADER",
    "SHARE_HEADER",
    "by_speed",
    "by_system",
    "cells",
    "columns_text",
    "finding",
    "only_share",
    "share_cells",
    "tables",
    "threads_text",
    "times_text",
    "title",
]

HEADER = (
    "system", "median ms", "p10 .. p90", "x ours", "error", "memory MiB", "file MiB", "build s", ""
)  # fmt: skip
SHARE_HEADER = ("layer of ours", "computed as", "ms", "kept GMAC/s", "of peak")
_MIB = 1 << 20


def title(rows: Sequence[Row]) -> str:
    """Returns the model, and how many threads."""
    return f"{rows[0].title}, {threads_text(rows[0])}"


def tables(rows: Sequence[Row]) -> list[Sequence[Sequence[str]]]:
    """Returns the table of systems, and that of our layers under the machine's peak."""
    shares = share_cells(rows)
    return [
        [HEADER, *map(cells, by_speed(rows))],
        *([[SHARE_HEADER, *shares]] if shares else []),
    ]


def by_system(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Splits rows by their system, in the order in which they come."""
    systems: dict[str, list[Row]] = {}
    for row in rows:
        systems.setdefault(row.system, []).append(row)
    return systems


def by_speed(rows: Iterable[Row]) -> list[Row]:
    """Sorts rows: the fastest first, those without a time that counts last."""
    return sorted(rows, key=lambda row: (not row.counts, row.median_s or 0.0))


def finding(rows: Sequence[Row]) -> str:
    """Returns the result on one model in a sentence: against dense, and the fastest other."""
    ours = next((row for row in rows if row.system == OURS.name and row.counts), None)
    setting = title(rows)
    if ours is None or ours.median_s is None:
        return f"{setting}: {OURS.name} was not measured"
    others = [row for row in by_speed(rows) if row is not ours and row.counts and row.ratio]
    fastest = [row for row in others if row.system != DENSE.name][:1]
    told = [*(row for row in others if row.system == DENSE.name), *fastest]
    said = [f"{times_text(row.ratio)} {row.system}" for row in told if row.ratio is not None]
    text = f"{setting}: {OURS.name} takes {ours.median_s * 1e3:.3g} ms"
    return f"{text}; {', '.join(said)}" if said else text


def threads_text(row: Row) -> str:
    """Returns "1 thread", "2 threads", ..."""
    return f"{row.threads} thread{'s' if row.threads > 1 else ''}"


def times_text(ratio: float) -> str:
    """Returns how ours compares with a system that takes ``ratio`` times as long."""
    return f"{ratio:.2f}x as fast as" if ratio >= 1 else f"{1 / ratio:.2f}x slower than"


def cells(row: Row) -> tuple[str, ...]:
    """Returns the cells of a row under ``HEADER``."""
    note = "" if row.status is Status.OK else f"{row.status.value}: {row.message}"
    if row.facts.get("variant"):
        note = f"{row.facts['variant']} {note}".strip()
    return (
        row.system,
        _scaled(row.median_s, 1e3, ".3g"),
        f"{_scaled(row.p10_s, 1e3, '.3g')} .. {_scaled(row.p90_s, 1e3, '.3g')}"
        if row.median_s is not None
        else "",
        _scaled(row.ratio if row.counts else None, 1, ".2f"),
        _scaled(row.max_rel_error, 1, ".0e"),
        _scaled(row.peak_rss_bytes, 1 / _MIB, ".0f"),
        _scaled(row.library_bytes, 1 / _MIB, ".1f"),
        _scaled(row.build_s, 1, ".1f"),
        note,
    )


def share_cells(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """Returns a row for each layer of ours, with its share of the machine's peak."""
    ours = next((row for row in rows if row.system == OURS.name), None)
    if ours is None or not ours.facts.get("layers"):
        return []
    peak = ours.facts.get("peak_macs_per_s")
    roof = [("peak of this machine", "", "", _scaled(peak, 1e-9, ".1f"), "100 %")] if peak else []
    return [*(_share(layer) for layer in ours.facts["layers"]), *roof]


def _share(layer: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        layer["name"],
        layer["kernel"],
        _scaled(layer["median_s"], 1e3, ".3f"),
        _scaled(layer["macs_per_s"], 1e-9, ".1f"),
        _percent(layer["share_of_peak"]),
    )


def only_share(row: Row | None) -> str:
    """Returns the share of the machine's peak of a kernel that is the only one."""
    layers = row.facts.get("layers", []) if row is not None else []
    return _percent(layers[0]["share_of_peak"]) if len(layers) == 1 else ""


def _percent(share: float | None) -> str:
    return f"{share:.0%}".replace("%", " %") if share else ""


def _scaled(value: float | None, factor: float, form: str) -> str:
    return "" if value is None else format(value * factor, form)


def columns_text(table: Sequence[Sequence[str]]) -> str:
    """Aligns cells: the first column and the last to the left, numbers to the right."""
    last = len(table[0]) - 1
    widths = [max(len(row[i]) for row in table) for i in range(last + 1)]
    return "\n".join(
        "  ".join(
            cell.ljust(widths[i]) if i in (0, last) else cell.rjust(widths[i])
            for i, cell in enumerate(row)
        ).rstrip()
        for row in table
    )
