"""Writes the page that sums up what was measured, and a page for each model, from rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tvm_patdnn.bench.markdown import link, table_lines
from tvm_patdnn.bench.model_page import page_name, write_model_page
from tvm_patdnn.bench.rows import Row
from tvm_patdnn.bench.verdicts import slower_table, summary_table
from tvm_patdnn.bench.views import LADDERS, MODEL, SWEEP, View, groups
from tvm_patdnn.whole_file import write_whole

__all__ = ["write_report"]

Views = Sequence[tuple[View, Sequence[Row]]]

_INTRODUCTION = """# Benchmarks

Written by `tvm-patdnn bench --report`, with the pages it links to, from the rows beside them;
do not edit by hand.

Each system runs in a process of its own, on the same CPUs with the same number of threads,
and they take turns: every system runs a few times in each round, while the processes of the
others are stopped. The pruned model is given to tvm-patdnn, the dense one to the others. All
have their graph optimisations on and compute in float32, quantised networks in int8; every output
is compared with ONNX Runtime's on the same weights, which computes quantised networks for that as
their operators say, without optimisations. "x ours" and numbers in brackets are the time over
tvm-patdnn's, the median of the rounds: below 1 means faster than we are. Memory is the peak of
the process that runs the model (with Python and the runtime); file is what is shipped besides the
runtime.

`tvm-dense` is the same TVM without pruning; its ratio to ONNX Runtime tells how good a
baseline it is. LiteRT is not among the systems: the one converter from ONNX that does without
TensorFlow, onnx2tf from version 2.4, needs Python 3.12 and pins OpenCV, ONNX Runtime and a
dozen other packages of its own: more than 200 MB.
"""


def write_report(rows: Sequence[Row], page: Path) -> None:
    """Writes the page, and those of the models with their plots into a folder of its name.

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
    for model in dict.fromkeys(group[0].model for _, group in found):
        own = [(view, group) for view, group in found if group[0].model == model]
        write_model_page(model, own, f"../{page.name}", folder)
    lines = [_INTRODUCTION, *_models(found, folder), *_slower(found), *_series(found, folder)]
    with write_whole(page) as partial:
        partial.write_text("\n".join(lines))


def _identity(row: Row) -> tuple[object, ...]:
    return (row.model, row.threads, row.layer, row.series, row.value, row.system)


def _models(found: Views, folder: Path) -> list[str]:
    models = [rows for view, rows in found if view is MODEL]
    if not models:
        return []
    head, *body = summary_table(models)
    linked = [(_link(name, name, folder), *cells) for name, *cells in body]
    return ["## Models", "", *table_lines([head, *linked]), ""]


def _slower(found: Views) -> list[str]:
    slower = slower_table([rows for view, rows in found if view is not LADDERS])
    lost = table_lines(slower) if len(slower) > 1 else ["No system is, in what was measured."]
    return ["## Where others are faster", "", *lost, ""]


def _series(found: Views, folder: Path) -> list[str]:
    """What the ladders and the sweeps show, each in a line."""
    lines = [
        f"- {_link(view.title(rows), rows[0].model, folder)}"
        f"{view.finding(rows).removeprefix(view.title(rows))}"
        for view, rows in found
        if view in (LADDERS, SWEEP)
    ]
    return ["## What it depends on", "", *lines, ""] if lines else []


def _link(text: str, model: str, folder: Path) -> str:
    return link(text, f"{folder.name}/{page_name(model)}")
