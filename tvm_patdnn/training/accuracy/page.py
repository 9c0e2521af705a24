"""Writes docs/accuracy.md from measured rows, and the page of commands beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from tvm_patdnn.errors import TrainingError
from tvm_patdnn.training.accuracy.changes import find_changes, like_dense
from tvm_patdnn.training.accuracy.configuration import subject
from tvm_patdnn.training.accuracy.groups import (
    Group,
    differences,
    find_groups,
    latest,
    the_one_with,
)
from tvm_patdnn.training.accuracy.intervals import difference_text, spread_text
from tvm_patdnn.training.accuracy.latencies import Latencies
from tvm_patdnn.training.accuracy.markdown import network_name, table
from tvm_patdnn.training.accuracy.names import rate_text, tell_apart
from tvm_patdnn.training.accuracy.plot import draw_trade
from tvm_patdnn.training.accuracy.runs_page import runs_page
from tvm_patdnn.training.rows import TrainRow
from tvm_patdnn.whole_file import write_whole

__all__ = ["accuracy_page", "write_report"]

_INTRODUCTION = """\
# Accuracy of pruned networks

Written by `tvm-patdnn train --report` from the rows that `tvm-patdnn train --json` measured;
do not edit. [{runs}]({runs}) has every run with its command, settings and machine.

Top-1 is on all test images at the end of the run, in percent, no epoch being chosen by it: the
mean, "±" the standard deviation, over runs of other seeds or on other machines. Differences are in
points of top-1, of pairs of one seed on one machine; of several pairs the 95 % interval of the mean
(Student's t) stands in brackets, and one that holds 0 leaves open which of the two is better. "The
dense" was trained for the same total number of epochs by the same schedule, without a teacher;
"the taught dense" with the same teacher as the pruned network. Compression is of weights in the
3x3 layers that are pruned, and of multiply-accumulates in all convolutions, the first one too,
which stays dense.
"""
_BLOCKS = """\
Blocks of filters that are pruned as one are the 1xN pattern of [Lin et al., TPAMI
2022](https://arxiv.org/abs/2105.14713). On ImageNet, with half of the weights pruned, its authors
measured for MobileNet-V1 70.76 with single weights, 70.28 in blocks of 2 and 70.05 of 4; for
MobileNet-V2 71.15 with single weights and 70.23 in blocks of 2. So blocks are not free everywhere.
"""
_JPEG = """\
"(JPEG)" means that the images were re-encoded as JPEG, which costs detail: compare these
numbers with each other, not with published ones.
"""
_HEADER = (
    *("method", "connectivity", "runs", "top-1", "against the dense", "against the taught dense"),
    *("3x3 layers", "all MACs"),
)


def write_report(
    rows: Sequence[TrainRow], page: Path, latencies: Latencies | None = None
) -> list[Path]:
    """Writes the page, and in the folder of its name the one of the runs, and the plots.

    Args:
        rows: of any networks and methods; of equal runs the last counts.
        page: the file to write.
        latencies: of the built networks; without them there is no plot.

    Returns:
        The files, the page first.

    Raises:
        TrainingError: there are no rows.
        PlotError: matplotlib is missing.
        BuildError: a file cannot be written.
    """
    if not rows:
        raise TrainingError(f"{page}: there are no rows to report")
    folder = page.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    runs = folder / "runs.md"
    plots = _draw(latest(rows), folder, latencies)
    texts = {page: accuracy_page(rows, page, latencies), runs: runs_page(rows)}
    for path, text in texts.items():
        with write_whole(path) as partial:
            partial.write_text(text, encoding="utf-8")
    return [page, runs, *plots]


def accuracy_page(
    rows: Sequence[TrainRow],
    page: Path = Path("docs/accuracy.md"),
    latencies: Latencies | None = None,
) -> str:
    """Returns the page as Markdown."""
    found = latest(rows)
    lines = [_INTRODUCTION.format(runs=f"{page.stem}/runs.md"), _BLOCKS]
    if any("(JPEG)" in row.data for row in found):
        lines.append(_JPEG)
    if latencies is not None:
        lines += [latencies.text, ""]
    for plot, of_subject in _sections(found):
        lines += _section(of_subject, f"{page.stem}/{plot}", latencies)
    return "\n".join(lines)


def _sections(rows: Sequence[TrainRow]) -> Iterator[tuple[str, list[TrainRow]]]:
    """Yields the rows of each section, and what the file of its plot is called."""
    seen: Counter[str] = Counter()
    for _, of_subject in groupby(rows, key=subject):
        section = list(of_subject)
        name = network_name(section[0])
        seen[name] += 1
        yield f"{name}{f'-{seen[name]}' if seen[name] > 1 else ''}.svg", section


def _section(rows: Sequence[TrainRow], plot: str, latencies: Latencies | None) -> list[str]:
    first = rows[0]
    groups = find_groups(rows)
    phases = sorted({(r.dense_epochs, r.prune_epochs, r.retrain_epochs) for r in rows})
    spelled = "; ".join(f"{d} dense, {p} pruning, {r} retraining" for d, p, r in phases)
    starts = {(row.seed, row.device, row.top1_dense): row.top1_dense for row in rows}
    lines = [
        f"## {network_name(first)}, {first.data}, {first.train_images:,} training images, "
        f"{first.epochs} epochs",
        "",
        f"Epochs: {spelled}. The pretrained dense networks that the runs start from have "
        f"{spread_text(list(starts.values()))} top-1.",
        "",
        *_methods(groups, latencies),
        "",
        *_changes(groups),
    ]
    if latencies is not None and any(latencies.of(row) is not None for row in rows):
        lines += [f"![top-1 against latency, {network_name(first)}]({plot})", ""]
    return lines


def _methods(groups: Sequence[Group], latencies: Latencies | None) -> list[str]:
    names = tell_apart([group.first for group in groups])
    cells = [_cells(*each, groups) for each in zip(names, groups)]
    if latencies is None:
        return table([_HEADER, *cells])
    times = [latencies.of(group.first) for group in groups]
    texts = ["" if time is None else f"{time:.2f} ms" for time in times]
    return table([(*_HEADER, "latency"), *((*row, text) for row, text in zip(cells, texts))])


def _cells(name: str, group: Group, groups: Sequence[Group]) -> tuple[str, ...]:
    row = group.first
    plain, taught = (
        the_one_with(groups, like_dense(row, teacher=teacher)) for teacher in (False, True)
    )
    return (
        name,
        rate_text(row),
        str(len(group.rows)),
        spread_text(group.top1),
        _against(group, plain),
        _against(group, taught) if row.distill else "",
        f"{group.compression_3x3:.2f}x",
        f"{group.compression_macs:.2f}x",
    )


def _against(group: Group, control: Group | None) -> str:
    if control is group:
        return ""
    return difference_text(differences(group, control)) or "not measured"


def _changes(groups: Sequence[Group]) -> list[str]:
    changes = find_changes(groups)
    if not changes:
        return []
    rows = [(c.what, c.where, str(len(c.points)), difference_text(c.points)) for c in changes]
    return [
        "What one change brings, all else equal:",
        "",
        *table([("change", "all else", "pairs", "points of top-1"), *rows]),
        "",
    ]


def _draw(rows: Sequence[TrainRow], folder: Path, latencies: Latencies | None) -> list[Path]:
    plots = []
    for plot, of_subject in _sections(rows):
        groups = find_groups(of_subject)
        timed = [(g, latencies.of(g.first)) for g in groups] if latencies is not None else []
        points = [(group, time) for group, time in timed if time is not None]
        if points:
            plots.append(folder / plot)
            draw_trade(points, plots[-1])
    return plots
