"""Writes a page of measured tables and plots, in Markdown, from files of rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from tvm_patdnn.bench.plot import save_plot
from tvm_patdnn.bench.rows import Row
from tvm_patdnn.bench.table import by_system
from tvm_patdnn.bench.verdicts import baseline_text, slower_table, summary_table
from tvm_patdnn.bench.views import LADDERS, MODEL, View, groups
from tvm_patdnn.whole_file import write_whole

__all__ = ["write_report"]

_INTRODUCTION = """# Benchmarks

Written by `tvm-patdnn bench --report` from the rows beside it; do not edit by hand.

Each system runs in a process of its own, on the same CPUs with the same number of threads,
and they take turns: every system runs a few times in each round, while the processes of the
others are stopped. The pruned model is given to tvm-patdnn, the dense one to the others. All
compute in float32 with their graph optimisations on, and every output is compared with ONNX
Runtime's on the same weights. "x ours" and numbers in brackets are the time over tvm-patdnn's,
the median of the rounds: below 1 means faster than we are. Memory is the peak of the process
that runs the model (with Python and the runtime); file is what is shipped besides the runtime.

`tvm-dense` is the same TVM without pruning; its ratio to ONNX Runtime tells how good a
baseline it is. LiteRT is not among the systems: the one converter from ONNX that does without
TensorFlow, onnx2tf from version 2.4, needs Python 3.12 and pins OpenCV, ONNX Runtime and a
dozen other packages of its own: more than 200 MB.
"""
_LADDER_LEGEND = """\
Numbers in brackets are times as fast as `dense`, the same kernels with the zeros computed as
numbers. `csr` visits each kept weight by itself; `no-opt` knows the patterns, in plain loops;
`+reorder` groups filters and kernels; `+LRE` shares loads between taps and filters; `+tune`
chooses the schedule, and is what `build` does. Each rung is built by switches of the compiler
(`tvm_patdnn.build(..., optimizations=...)`); loads are counted in the generated code."""


def write_report(rows: Sequence[Row], page: Path) -> None:
    """Writes the page, and a plot for each section into a folder of the page's name.

    Args:
        rows: of any number of models, ladders and sweeps; of equal ones the last counts.
        page: the file to write.

    Raises:
        PlotError: plots cannot be drawn.
        BuildError: a file cannot be written.
    """
    latest = {_identity(row): row for row in rows}
    found = groups(list(latest.values()))
    folder = page.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    sections = [_section(view, group, folder) for view, group in found]
    with write_whole(page) as partial:
        partial.write_text("\n".join([_INTRODUCTION, *_overview(found), *sections]))


def _identity(row: Row) -> tuple[object, ...]:
    return (row.model, row.threads, row.layer, row.series, row.value, row.system)


def _overview(found: Sequence[tuple[View, Sequence[Row]]]) -> list[str]:
    models = [rows for view, rows in found if view is MODEL]
    compared = [rows for view, rows in found if view is not LADDERS]
    slower = slower_table(compared)
    lost = _markdown(slower) if len(slower) > 1 else ["No system is, in what is measured below."]
    lines = ["## Where others are faster", "", *lost, ""]
    if models:
        lines = ["## Models", "", *_markdown(summary_table(models)), "", *lines]
    return lines


def _section(view: View, rows: Sequence[Row], folder: Path) -> str:
    title = view.title(rows)
    lines = [f"## {title}", "", f"{view.finding(rows).removeprefix(f'{title}: ')}.", ""]
    lines += [baseline_text(rows), ""] if baseline_text(rows) else []
    if any(row.counts for row in rows):
        plot = folder / f"{re.sub(r'[^a-z0-9]+', '-', title.lower())}.svg"
        save_plot(rows, plot)
        lines += [f"![{title}]({folder.name}/{plot.name})", ""]
    for table in view.tables(rows):
        lines += [*_markdown(table), ""]
    lines += [_LADDER_LEGEND, ""] if view is LADDERS else []
    return "\n".join([*lines, _how(rows), ""])


def _how(rows: Sequence[Row]) -> str:
    versions = {name: text for row in rows for name, text in row.versions.items()}
    listed = ", ".join(f"{name} {text}" for name, text in sorted(versions.items()))
    repeats = ", ".join(f"{name} {most}" for name, most in _repeats(rows).items())
    return (
        f"Machine: {_each(row.cpu for row in rows)}. Date: {_each(row.date for row in rows)}. "
        f"Command: {_each(f'`{row.command}`' for row in rows)}. "
        f"Timed runs: {repeats}. Versions: {listed}."
    )


def _repeats(rows: Sequence[Row]) -> dict[str, int]:
    """The most timed runs of each system."""
    return {name: max(row.repeats for row in each) for name, each in by_system(rows).items()}


def _each(texts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(texts))


def _markdown(table: Sequence[Sequence[str]]) -> list[str]:
    head, *body = [[cell.replace("|", "\\|") for cell in row] for row in table]
    rule = ["---", *["---:"] * (len(head) - 2), "---"]
    return [f"| {' | '.join(row)} |" for row in (head, rule, *body)]
