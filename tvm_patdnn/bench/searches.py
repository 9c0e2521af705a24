"""Races the genetic search with its learned model against random search, layer by layer.

``python -m tvm_patdnn.bench.searches --folder DIR --json OUT.jsonl --plot OUT.svg``

Both write their trials to logs in the folder, where a run that was broken off goes on. Each names
its winner as ``tvm-patdnn tune`` does, after its fastest and the default were measured again, in
turns. The winners of both and the default then are, once more. The machine must be quiet meanwhile.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from relay_passes.pipeline import plan_pipeline
from tvm_patdnn.bench.sample_layers import SampleLayer
from tvm_patdnn.bench.search_plot import save_search_plot
from tvm_patdnn.bench.search_rows import SearchRow, search_lines
from tvm_patdnn.compilation import Compilation, Request
from tvm_patdnn.plots.plot_file import check_plot
from tvm_patdnn.records.families import Configuration
from tvm_patdnn.records.log_upkeep import winner
from tvm_patdnn.records.record_files import read_log
from tvm_patdnn.records.tuning_records import Record, Records
from tvm_patdnn.row_file import append_lines
from tvm_patdnn.tuning.conv2d_tasks import conv2d_tasks
from tvm_patdnn.tuning.history import History
from tvm_patdnn.tuning.problem import TuningTask
from tvm_patdnn.tuning.ranking_model import check_xgboost, learned_score
from tvm_patdnn.tuning.search import GeneticSearch, RandomSearch, Search
from tvm_patdnn.tuning.tuner import TuneOptions, Tuner
from tvm_patdnn.tuning.workshop import Limits, Workshop

__all__ = ["LAYERS", "best_so_far", "race", "rank_correlation"]

LAYERS = (
    SampleLayer(in_c=64, out_c=64, side=56),
    SampleLayer(in_c=256, out_c=256, side=56),
    SampleLayer(in_c=512, out_c=512, side=14),
    SampleLayer(in_c=1024, out_c=256, side=14, kernel=1),
)
_TURNS = 31


def race(
    layers: Sequence[SampleLayer],
    folder: Path,
    trials: tuple[int, int],
    *,
    target: str | None = None,
    turns: int = _TURNS,
    seed: int = 0,
) -> Iterator[SearchRow]:
    """Yields the row of each layer.

    Args:
        folder: of the logs.
        trials: of the genetic search, and of the random one.
        target: see ``build``.
        turns: of the winners.

    Raises:
        TuningError: a log cannot be read or written, or xgboost is missing.
    """
    check_xgboost()
    logs = {name: folder / name for name in ("genetic", "random")}
    prepared = [(layer, *_prepared(layer, target)) for layer in layers]
    with _workshop(prepared[0][2]) as workshop:
        for _, task, _ in prepared:
            _search(task, workshop, logs["genetic"], trials[0], lambda r: _genetic(r, seed))
            _search(task, workshop, logs["random"], trials[1], lambda r: RandomSearch(seed=seed))
        found = [Records(read_log(log)) for log in logs.values()]
        found[1] = _described([task for _, task, _ in prepared], found[1])
        for layer, task, _ in prepared:
            yield _row(layer, task, workshop, found, turns)


def _described(tasks: Sequence[TuningTask], records: Records) -> Records:
    """Returns the trials of tasks with what the learned model knows of them today."""
    return Records(
        replace(record, features=task.space.describe(record.configuration))
        for task in tasks
        for record in records.trials(task.key)
    )


def _genetic(records: Sequence[Record], seed: int) -> Search:
    return GeneticSearch(seed=seed, score=learned_score(records, seed))


def _prepared(layer: SampleLayer, target: str | None) -> tuple[TuningTask, Compilation]:
    request = Request(onnx_model=layer.pruned(), target=target, logs="")
    compilation = Compilation.of(request, lambda phase: None)
    with compilation.target:
        plan = plan_pipeline(compilation.model.module, compilation.options)
    (task,) = conv2d_tasks(plan, compilation.options.cpu)
    return task, compilation


def _workshop(compilation: Compilation) -> Workshop:
    cpu = compilation.options.cpu
    limits = Limits(cold_bytes=2 * cpu.l2_bytes)
    return Workshop(compilation.target, cpu.num_cores, limits=limits)


def _search(
    task: TuningTask,
    workshop: Workshop,
    log: Path,
    trials: int,
    search: Callable[[Sequence[Record]], Search],
) -> None:
    """Measures as many trials of one task, those in the log included; each layer alone."""
    log.mkdir(parents=True, exist_ok=True)
    own = (record for record in read_log(log) if record.key == task.key)
    options = TuneOptions(trials=trials, patience=trials)
    file = log / f"{task.key.cpu}.jsonl"
    tuner = Tuner([task], workshop, search, log=file, records=Records(own), options=options)
    list(tuner.run())


def _row(
    layer: SampleLayer,
    task: TuningTask,
    workshop: Workshop,
    logs: Sequence[Records],
    turns: int,
) -> SearchRow:
    histories = [History.of(log.trials(task.key)) for log in logs]
    genetic, random = (_winner(task, log) for log in logs)
    points = list(dict.fromkeys([genetic, random, *task.space.starts]))
    measured = workshop.measure(task, points, turns=turns)
    seconds = {point: each.seconds for point, each in zip(points, measured, strict=True)}
    defaults = [s for point in task.space.starts if (s := seconds[point]) is not None]
    return SearchRow(
        layer=str(layer),
        cpu=task.key.cpu,
        threads=task.key.threads,
        genetic_s=seconds[genetic],
        random_s=seconds[random],
        default_s=min(defaults, default=None),
        genetic_course=best_so_far(histories[0]),
        random_course=best_so_far(histories[1]),
        correlation=_left_out(task, logs[1]),
    )


def _winner(task: TuningTask, records: Records) -> Configuration:
    found = winner(task.key, records)
    return found.configuration if found else task.space.starts[0]


def best_so_far(history: History) -> list[float]:
    """Returns the fastest after each trial, from the first that ran."""
    course = np.minimum.accumulate(list(history.seconds.values()) or [math.inf])
    return [float(each) for each in course if math.isfinite(each)]


def _left_out(task: TuningTask, records: Records) -> float | None:
    trials = records.of_family(task.key.family)
    others = [record for record in trials if record.key != task.key]
    own = [record for record in trials if record.key == task.key and record.seconds is not None]
    if not others or len(own) < 2:
        return None
    scores = learned_score(others)([record.features for record in own])
    return rank_correlation(scores, [-(record.seconds or 0) for record in own])


def rank_correlation(first: Sequence[float] | np.ndarray, second: Sequence[float]) -> float:
    """Returns Spearman's rank correlation, 1 for the same order."""
    ranks = [np.argsort(np.argsort(values, kind="stable")) for values in (first, second)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="of the logs")
    parser.add_argument("--json", type=Path, required=True, help="rows are appended here")
    parser.add_argument("--plot", type=Path, help="of the best so far: .png or .svg")
    parser.add_argument("--trials", type=int, default=64, help="of the genetic search")
    parser.add_argument("--random-trials", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    trials = (args.trials, args.random_trials)
    if args.plot:
        check_plot(args.plot)
    rows: list[SearchRow] = []
    for row in race(LAYERS, args.folder, trials, seed=args.seed):
        rows.append(row)
        append_lines(args.json, search_lines([row]))
        print(row.layer, row.genetic_s, row.random_s, row.default_s, row.correlation)
    if args.plot:
        save_search_plot(rows, args.plot)


if __name__ == "__main__":
    _main()
