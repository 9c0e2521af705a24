"""Writes the page of one model: its tables and plots, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from tvm_patdnn.bench.markdown import file_name, table_lines
from tvm_patdnn.bench.plot import save_plot
from tvm_patdnn.bench.rows import Row
from tvm_patdnn.bench.table import by_system
from tvm_patdnn.bench.verdicts import baseline_text
from tvm_patdnn.bench.views import LADDERS, View
from tvm_patdnn.whole_file import write_whole

__all__ = ["page_name", "write_model_page"]

_LADDER_LEGEND = """\
Numbers in brackets are times as fast as `dense`, the same kernels with the zeros computed as
numbers. `csr` visits each kept weight by itself; `no-opt` knows the patterns, in plain loops;
`+reorder` groups filters and kernels; `+LRE` shares loads between taps and filters; `+tune`
chooses the schedule, and is what `build` does. Each rung is built by switches of the compiler
(`tvm_patdnn.build(..., optimizations=...)`); loads are counted in the generated code."""


def page_name(model: str) -> str:
    """Returns the name of a model's page, in the folder of all of them."""
    return file_name(model, ".md")


def write_model_page(
    model: str, views: Sequence[tuple[View, Sequence[Row]]], summary: str, folder: Path
) -> None:
    """Writes the page of a model, and the plot of each section beside it.

    Args:
        model: its name.
        views: its rows, in groups of those that are shown together.
        summary: where the page of all models lies, as seen from ``folder``.
        folder: of the pages.

    Raises:
        PlotError: plots cannot be drawn.
        BuildError: a file cannot be written.
    """
    sections = [_section(view, rows, folder) for view, rows in views]
    head = f"# {model}\n\nHow it is measured, and what came out: [Benchmarks]({summary}).\n"
    with write_whole(folder / page_name(model)) as partial:
        partial.write_text("\n".join([head, *sections]))


def _section(view: View, rows: Sequence[Row], folder: Path) -> str:
    title = view.title(rows)
    lines = [f"## {title}", "", f"{view.finding(rows).removeprefix(f'{title}: ')}.", ""]
    lines += [baseline_text(rows), ""] if baseline_text(rows) else []
    if any(row.counts for row in rows):
        plot = file_name(title, ".svg")
        save_plot(rows, folder / plot)
        lines += [f"![{title}]({plot})", ""]
    for table in view.tables(rows):
        lines += [*table_lines(table), ""]
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
