"""Tunes the dense convolutions of networks, one after the other, as long as time allows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import mean

import tvm

from tvm_patdnn.bench.dense_tuning.compare import compare
from tvm_patdnn.bench.dense_tuning.records import DenseRecord, read_dense_records, write_record
from tvm_patdnn.bench.dense_tuning.search import SearchOptions, search
from tvm_patdnn.bench.dense_tuning.tasks import DenseTask
from tvm_patdnn.errors import BuildError
from tvm_patdnn.machine.cpu_name import cpu_name
from tvm_patdnn.machine.host_cpu import host_config, host_cpu
from tvm_patdnn.machine.targets import resolve_target

__all__ = ["tasks_left", "tune_tasks"]


def tasks_left(
    tasks: Sequence[DenseTask], folder: Path, threads: int, trials: int
) -> list[DenseTask]:
    """Returns the tasks without a record of enough trials for this machine and TVM.

    Raises:
        TuningError: a file in the folder is not a record.
    """
    done = {
        record.shape
        for record in read_dense_records(folder)
        if (record.cpu, record.threads, record.tvm) == (host_cpu(), threads, tvm.__version__)
        and record.trials >= trials
    }
    return [task for task in tasks if task.shape not in done]


def tune_tasks(
    tasks: Sequence[DenseTask],
    folder: Path,
    threads: int,
    options: SearchOptions,
    *,
    seconds: float | None = None,
    progress: Callable[[str], None] = lambda phase: None,
) -> Iterator[DenseRecord]:
    """Yields the record of each task as soon as its file is written.

    Args:
        tasks: those of most work first.
        folder: of the records.
        threads: that compute, as TVM_NUM_THREADS says.
        options: of the search.
        seconds: no task begins that would, if it takes as long as those before it, end later.
        progress: told each task as it begins.
    """
    begun = time.monotonic()
    spent: list[float] = []
    for task in tasks:
        elapsed = time.monotonic() - begun
        if seconds is not None and elapsed + (mean(spent) if spent else 0.0) > seconds:
            return
        progress(str(task.shape))
        record = _tune(task, threads, options)
        write_record(folder, record)
        spent.append(time.monotonic() - begun - elapsed)
        yield record


def _tune(task: DenseTask, threads: int, options: SearchOptions) -> DenseRecord:
    config = {**host_config(), "num-cores": threads}
    try:
        trace = search(task.shape, resolve_target(config), options)
        comparison = compare(task.shape, trace, config, threads)
    except (BuildError, RuntimeError, ValueError):  # of TVM: the others are tuned all the same
        trace, comparison = None, compare(task.shape, None, config, threads)
    return DenseRecord(
        cpu=host_cpu(),
        machine=cpu_name(),
        threads=threads,
        tvm=tvm.__version__,
        shape=task.shape,
        trials=options.trials,
        trace=trace if comparison.tuned_s is not None else None,
        tuned_s=comparison.tuned_s,
        ours_s=comparison.ours_s,
    )
