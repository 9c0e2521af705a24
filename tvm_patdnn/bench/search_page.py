"""Writes the page of the race of the searches, with its plot, from rows.

``python -m tvm_patdnn.bench.search_page ROWS.jsonl docs/searches.md``
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from tvm_patdnn.bench.markdown import table_lines
from tvm_patdnn.bench.search_plot import finding, save_search_plot
from tvm_patdnn.bench.search_rows import SearchRow, read_search_rows, search_lines
from tvm_patdnn.plots.drawing import milliseconds
from tvm_patdnn.whole_file import write_whole

__all__ = ["write_search_page"]

_INTRODUCTION = """# The searches compared

Written by `python -m tvm_patdnn.bench.search_page` from what `python -m tvm_patdnn.bench.searches`
measured; do not edit by hand.

The guided search (genetic, with the learned cost model) has fewer trials than the random one. Each
layer is searched alone: nothing was measured of others. Each search names its winner after its
fastest and the default, which is what the cost model alone would choose, were measured again, in
turns; so were the winners of both and the default then. The layers are pruned to 8 patterns of 4
weights and 3.6 times fewer kernels; 1x1 ones to 3.6 times fewer.

*Ranks* is the correlation of the ranks that the learned model gives the random trials of a layer
with those that were measured, where it has learned from the other layers only.
"""


def write_search_page(rows: Sequence[SearchRow], page: Path) -> None:
    """Writes the page; its plot and the rows go into a folder of its name.

    Raises:
        PlotError: the plot cannot be drawn.
        BuildError: a file cannot be written.
    """
    folder = page.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    plot = folder / "best-so-far.svg"
    save_search_plot(rows, plot)
    with write_whole(folder / "rows.jsonl") as partial:
        partial.write_text("".join(f"{line}\n" for line in search_lines(rows)))
    where = f"{rows[0].cpu}, {rows[0].threads} threads"
    lines = [
        _INTRODUCTION,
        f"On {where}: {finding(rows)}.",
        "",
        *table_lines(_table(rows)),
        "",
        f"![The best so far against trials]({folder.name}/{plot.name})",
    ]
    with write_whole(page) as partial:
        partial.write_text("\n".join(lines) + "\n")


def _table(rows: Sequence[SearchRow]) -> list[tuple[str, ...]]:
    head = ("layer", "genetic, ms", "random, ms", "default, ms", "random / genetic", "ranks")
    return [head, *map(_cells, rows)]


def _cells(row: SearchRow) -> tuple[str, ...]:
    times = (row.genetic_s, row.random_s, row.default_s)
    ratio = f"{row.random_s / row.genetic_s:.2f}" if row.random_s and row.genetic_s else "-"
    ranks = "-" if row.correlation is None else f"{row.correlation:.2f}"
    return (row.layer, *map(_time, times), ratio, ranks)


def _time(seconds: float | None) -> str:
    return "-" if seconds is None else f"{milliseconds(seconds):.3f}"


def _main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("rows", type=Path, help="that the race wrote")
    parser.add_argument("page", type=Path, help="the .md file to write")
    args = parser.parse_args()
    write_search_page(read_search_rows(args.rows), args.page)


if __name__ == "__main__":
    _main()
