"""Writes a page of measured tables and plots, in Markdown, from files of rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from tvm_patdnn.bench.plot import save_plot
from tvm_patdnn.bench.rows import Row
from tvm_patdnn.bench.systems import OURS
from tvm_patdnn.bench.table import (
    HEADER,
    SHARE_HEADER,
    by_speed,
    cells,
    finding,
    layer_cells,
    layer_header,
    layers_finding,
    share_cells,
    threads_text,
)
from tvm_patdnn.whole_file import write_whole

__all__ = ["write_report"]

_INTRODUCTION = """# Benchmarks

Written by `tvm-patdnn bench --report` from the rows beside it; do not edit by hand.

Each system runs in a process of its own, on the same CPUs with the same number of threads,
and they take turns: every system runs a few times in each round, while the processes of the
others are stopped. The pruned model is given to tvm-patdnn, the dense one to the others. All
compute in float32 with their graph optimisations on, and every output is compared with ONNX
Runtime's on the same weights. "x ours" is the time over tvm-patdnn's, the median of the
rounds: below 1 means faster than we are. Memory is the peak of the process that runs the model
(with Python and the runtime); file is what is shipped besides the runtime.
"""


def write_report(rows: Sequence[Row], page: Path) -> None:
    """Writes the page, and a plot for each model into a folder of the page's name.

    Args:
        rows: of any number of models; of equal model, layer, threads and system the last
            one counts.
        page: the file to write.

    Raises:
        BenchError: plots cannot be drawn.
        BuildError: a file cannot be written.
    """
    latest = {(row.model, row.threads, row.layer, row.system): row for row in rows}
    groups: dict[tuple[str, int, bool], list[Row]] = {}
    for row in latest.values():
        groups.setdefault((row.model, row.threads, row.layer is not None), []).append(row)
    folder = page.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    sections = [_section(group, folder) for group in groups.values()]
    with write_whole(page) as partial:
        partial.write_text("\n".join([_INTRODUCTION, *sections]))


def _section(rows: Sequence[Row], folder: Path) -> str:
    first = rows[0]
    by_layer = first.layer is not None
    title = f"{first.model}{', by layer' if by_layer else ''}, {threads_text(first)}"
    lines = [f"## {title}", ""]
    said = layers_finding(rows) if by_layer else finding(rows)
    lines += [f"{said}.", "", *([] if by_layer else [_slower(rows), ""])]
    if any(row.counts for row in rows):
        plot = folder / f"{re.sub(r'[^a-z0-9]+', '-', title.lower())}.svg"
        save_plot(rows, plot)
        lines += [f"![{title}]({folder.name}/{plot.name})", ""]
    if by_layer:
        lines += _markdown([layer_header(rows), *layer_cells(rows)])
    else:
        lines += _markdown([HEADER, *map(cells, by_speed(rows))])
        shares = share_cells(rows)
        lines += ["", *_markdown([SHARE_HEADER, *shares])] if shares else []
    return "\n".join([*lines, "", _how(rows), ""])


def _slower(rows: Sequence[Row]) -> str:
    ahead = [row.system for row in by_speed(rows) if row.counts and (row.ratio or 1) < 1]
    return f"Faster than {OURS.name} here: {', '.join(ahead) if ahead else 'none of them'}."


def _how(rows: Sequence[Row]) -> str:
    first = rows[0]
    versions = {name: text for row in rows for name, text in row.versions.items()}
    listed = ", ".join(f"{name} {text}" for name, text in sorted(versions.items()))
    repeats = ", ".join(f"{row.system} {row.repeats}" for row in rows if row.layer == first.layer)
    return (
        f"Machine: {first.cpu}. Date: {first.date}. Command: `{first.command}`. "
        f"Timed runs: {repeats}. Versions: {listed}."
    )


def _markdown(table: Sequence[Sequence[str]]) -> list[str]:
    head, *body = table
    rule = ["---", *["---:"] * (len(head) - 2), "---"]
    return [f"| {' | '.join(row)} |" for row in (head, rule, *body)]
