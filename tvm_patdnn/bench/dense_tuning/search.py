"""Searches a schedule for one dense convolution with TVM's MetaSchedule.

The evolutionary search is guided by a cost model that learns from each measurement.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from statistics import median
from typing import Any, Literal

import tvm

from tvm_patdnn.bench.dense_tuning.apply_tuned_schedules import trace_to_json
from tvm_patdnn.bench.dense_tuning.space import tuning_context, without_intrinsics
from tvm_patdnn.bench.dense_tuning.tuned_convolutions import ConvShape
from tvm_patdnn.errors import TuningError

__all__ = ["SearchOptions", "check_packages", "search"]

_PACKAGES = ("cloudpickle", "psutil")


@dataclass(frozen=True, kw_only=True)
class SearchOptions:
    """How a schedule is searched.

    Attributes:
        trials: schedules to measure.
        round_trials: of these in each round, between which the cost model learns.
        population: schedules that the search keeps; TVM's default of 512 takes two minutes
            for a round, which is more than measuring does.
        generations: of the population in a round.
        build_limit, run_limit: seconds after which a schedule is given up.
        cost_model: "random" needs no xgboost, and is no better than its name.
        workers: schedules that are built at the same time.
    """

    trials: int = 64
    round_trials: int = 16
    population: int = 128
    generations: int = 3
    build_limit: float = 60.0
    run_limit: float = 30.0
    cost_model: Literal["xgb", "random"] = "xgb"
    workers: int = 1

    def __post_init__(self) -> None:
        for name in ("trials", "round_trials", "population", "workers"):
            if getattr(self, name) < 1:
                raise TuningError(f"{name}: got {getattr(self, name)}, expected at least 1")


def check_packages(options: SearchOptions) -> None:
    """Checks, before long work, that what the search needs is installed.

    Raises:
        TuningError: a package is missing.
    """
    needed = [*_PACKAGES, *(["xgboost"] if options.cost_model == "xgb" else [])]
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        raise TuningError(
            f"tuning needs {', '.join(missing)}, which is not installed; run "
            "pip install 'tvm-patdnn[tune]'"
        )


def search(shape: ConvShape, target: tvm.target.Target, options: SearchOptions) -> Any:
    """Returns the fastest trace that was measured, see ``trace_to_json``.

    Schedules run with as many threads as TVM_NUM_THREADS says.

    Returns:
        None where no schedule could be built and run within the limits.
    """
    from tvm.s_tir import meta_schedule

    with without_intrinsics(), _quiet(), tempfile.TemporaryDirectory() as folder:
        database = meta_schedule.database.MemoryDatabase()
        meta_schedule.tune.tune_tasks(
            tasks=[
                tuning_context(shape, target, _strategy(meta_schedule, options), options.workers)
            ],
            task_weights=[1.0],
            work_dir=folder,
            max_trials_global=options.trials,
            num_trials_per_iter=min(options.round_trials, options.trials),
            builder=meta_schedule.builder.LocalBuilder(
                max_workers=options.workers, timeout_sec=options.build_limit, f_build=_build
            ),
            runner=_runner(meta_schedule, options),
            database=database,
            cost_model=options.cost_model,
        )
        measured = [
            (median(map(float, record.run_secs)), number, record.trace)
            for number, record in enumerate(database.get_all_tuning_records())
            if record.run_secs
        ]
    if not measured:
        return None
    seconds, _, trace = min(measured)
    return trace_to_json(trace) if seconds < options.run_limit else None


def _strategy(meta_schedule: Any, options: SearchOptions) -> Any:
    return meta_schedule.search_strategy.EvolutionarySearch(
        population_size=options.population,
        init_min_unmeasured=min(50, options.population),
        genetic_num_iters=options.generations,
    )


def _runner(meta_schedule: Any, options: SearchOptions) -> Any:
    config = meta_schedule.runner.EvaluatorConfig(number=1, repeat=5, min_repeat_ms=20)
    return meta_schedule.runner.LocalRunner(timeout_sec=options.run_limit, evaluator_config=config)


def _build(mod: tvm.IRModule, target: tvm.target.Target, _params: Any) -> Any:
    """Does what TVM's own builder does, but for an import that takes 20 s in every worker."""
    from tvm.driver import build
    from tvm.s_tir.transform import RemoveWeightLayoutRewriteBlock

    return build(RemoveWeightLayoutRewriteBlock(skip_tensor_rewrite=True)(mod), target=target)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps the tuner's log off the terminal; what comes of it is in our records."""
    logger = logging.getLogger("tvm.s_tir.meta_schedule")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
