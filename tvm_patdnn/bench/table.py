"""Shows rows as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from tvm_patdnn.bench.rows import Row, Status
from tvm_patdnn.bench.systems import DENSE, OURS

__all__ = [
    "HEADER",
    "SHARE_HEADER",
    "by_speed",
    "cells",
    "columns_text",
    "finding",
    "layer_cells",
    "layer_header",
    "layers_finding",
    "result_text",
    "share_cells",
    "threads_text",
]

HEADER = (
    "system", "median ms", "p10 .. p90", "x ours", "error", "memory MiB", "file MiB", "build s", ""
)  # fmt: skip
SHARE_HEADER = ("layer of ours", "computed as", "ms", "kept GMAC/s", "of peak")
_MIB = 1 << 20
_ONE_LAYER_AND_THE_PEAK = 2


def result_text(rows: Sequence[Row]) -> str:
    """Returns the tables of whole models, or of layers, with what they show above each."""
    models = list(dict.fromkeys(row.model for row in rows))
    return "\n\n".join(_model_text([row for row in rows if row.model == name]) for name in models)


def _model_text(rows: Sequence[Row]) -> str:
    whole = [row for row in rows if row.layer is None]
    layers = [row for row in rows if row.layer is not None]
    parts = []
    if whole:
        parts += [finding(whole), columns_text([HEADER, *map(cells, by_speed(whole))])]
        shares = [*share_cells(whole)]
        parts += [columns_text([SHARE_HEADER, *shares])] if shares else []
    if layers:
        parts.append(layers_finding(layers))
        parts.append(columns_text([layer_header(layers), *layer_cells(layers)]))
    return "\n\n".join(parts)


def by_speed(rows: Iterable[Row]) -> list[Row]:
    """Sorts rows: the fastest first, those without a time that counts last."""
    return sorted(rows, key=lambda row: (not row.counts, row.median_s or 0.0))


def finding(rows: Sequence[Row]) -> str:
    """Returns the result on one model in a sentence: against dense, and the fastest other."""
    ours = next((row for row in rows if row.system == OURS.name and row.counts), None)
    setting = f"{rows[0].title}, {threads_text(rows[0])}"
    if ours is None or ours.median_s is None:
        return f"{setting}: {OURS.name} was not measured"
    others = [row for row in by_speed(rows) if row is not ours and row.counts and row.ratio]
    fastest = [row for row in others if row.system != DENSE.name][:1]
    told = [*(row for row in others if row.system == DENSE.name), *fastest]
    said = [f"{_times(row.ratio)} {row.system}" for row in told if row.ratio is not None]
    text = f"{setting}: {OURS.name} takes {ours.median_s * 1e3:.3g} ms"
    return f"{text}; {', '.join(said)}" if said else text


def layers_finding(rows: Sequence[Row]) -> str:
    """Returns the result on the layers of one model in a sentence."""
    setting = f"{rows[0].model} by layer, {threads_text(rows[0])}"
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
    text = f"{setting}: {OURS.name} is the fastest on {len(fastest)} of {len(ours)} convolutions"
    ratios = [row.ratio for row in rows if row.system == DENSE.name and row.counts and row.ratio]
    return f"{text}; {_times(median(ratios))} {DENSE.name} in the median" if ratios else text


def threads_text(row: Row) -> str:
    """Returns "1 thread", "2 threads", ..."""
    return f"{row.threads} thread{'s' if row.threads > 1 else ''}"


def _times(ratio: float) -> str:
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
        f"{layer['share_of_peak']:.0%}".replace("%", " %") if layer["share_of_peak"] else "",
    )


def layer_header(rows: Sequence[Row]) -> tuple[str, ...]:
    """Returns the header of a table of layers: a column for each system."""
    return ("layer, ms", *_systems(rows), "our kernel: of peak")


def layer_cells(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """Returns a row for each layer; after a time, how many times ours it is."""
    table = []
    for layer in dict.fromkeys(row.layer for row in rows):
        of_layer = {row.system: row for row in rows if row.layer == layer}
        times = [_layer_time(of_layer.get(name)) for name in _systems(rows)]
        shares = share_cells([*of_layer.values()])
        share = shares[0][-1] if len(shares) == _ONE_LAYER_AND_THE_PEAK else ""
        table.append((str(layer), *times, share))
    return table


def _layer_time(row: Row | None) -> str:
    if row is None or row.median_s is None:
        return row.status.value if row is not None else ""
    if not row.counts:
        return row.status.value
    factor = f" ({row.ratio:.1f}x)" if row.ratio and row.system != OURS.name else ""
    return f"{row.median_s * 1e3:.3f}{factor}"


def _systems(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(row.system for row in rows))


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
