"""Tunes the dense baseline: ``python -m tvm_patdnn.bench.tune_dense MODEL.onnx...``.

For each distinct convolution TVM's MetaSchedule searches a schedule, which is then measured
against our own dense kernel; what comes of it is kept as a record. Run again, it goes on where
it stopped. Machines that do something else meanwhile give bad schedules.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tvm_patdnn.errors import PatDNNError, TuningError
from tvm_patdnn.machine.cores import physical_cores
from tvm_patdnn.machine.threads import VARIABLE

__all__ = ["main"]

_NAME = "tune_dense"


def main(argv: Sequence[str] | None = None) -> int:
    """Tunes, and prints a line for each convolution.

    Returns:
        The exit status: 1 for a failure, 130 if it was stopped.
    """
    words = _parser().parse_args(argv)
    os.environ[VARIABLE] = str(words.threads)  # before TVM starts its threads
    try:
        _run(words)
    except PatDNNError as error:
        print(f"{_NAME}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{_NAME}: stopped; run it again to go on", file=sys.stderr)
        return 130
    return 0


def _run(words: argparse.Namespace) -> None:
    from tvm_patdnn.bench.dense_tuning.records import shipped_folder
    from tvm_patdnn.bench.dense_tuning.search import SearchOptions, check_packages
    from tvm_patdnn.bench.dense_tuning.tasks import dense_tasks
    from tvm_patdnn.bench.dense_tuning.tune import tasks_left, tune_tasks
    from tvm_patdnn.progress import PhaseBar

    options = SearchOptions(trials=words.trials, cost_model=words.cost_model, workers=words.threads)
    check_packages(options)
    folder = words.output or shipped_folder()
    tasks = dense_tasks(words.models)
    if words.only:
        tasks = [task for task in tasks if words.only in str(task.shape)]
        if not tasks:
            raise TuningError(f"--only: no convolution is called '{words.only}'; see --list")
    left = tasks_left(tasks, folder, words.threads, words.trials)
    print(f"{len(left)} of {len(tasks)} convolutions to tune, records in {folder}", flush=True)
    if words.list:
        for task in left:
            print(f"{task.share:6.1%}  {task.shape}  ({', '.join(task.models)})")
        return
    done = 0
    with PhaseBar(len(left)) as progress:
        for record in tune_tasks(
            left, folder, words.threads, options, seconds=words.seconds, progress=progress
        ):
            done += 1
            tuned = f"{record.tuned_s * 1e3:.3f} ms" if record.tuned_s else "nothing usable"
            print(f"{record.shape}: tuned {tuned}, ours {record.ours_s * 1e3:.3f} ms", flush=True)
    if done < len(left):
        print(f"out of time with {len(left) - done} convolutions left; run it again to go on")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m tvm_patdnn.bench.{_NAME}",
        description="Tune TVM's own schedules for the dense convolutions of networks.",
    )
    add = parser.add_argument
    add("models", nargs="+", type=Path, metavar="MODEL.onnx", help="dense networks")
    add("--trials", type=int, default=64, help="schedules to measure for each convolution (64)")
    add("--seconds", type=float, help="stop in time; convolutions with most work come first")
    add("--threads", type=int, default=physical_cores(), help="that compute (physical cores)")
    add("--only", metavar="TEXT", help="only convolutions with this in their name, as --list has")
    add("--list", action="store_true", help="print what is left to tune, and stop")
    add("--cost-model", choices=("xgb", "random"), default="xgb", help="of the search (xgb)")
    add("-o", "--output", type=Path, metavar="FOLDER", help="(the package's autotune_logs/dense)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
