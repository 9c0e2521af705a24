"""``tvm-patdnn tune``: finds the fastest schedule of each layer by measuring."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tvm_patdnn.cli.arguments import (
    add_command,
    add_model,
    add_output_options,
    add_positive,
    add_target,
    positive,
)
from tvm_patdnn.cli.device_options import add_device, given_device
from tvm_patdnn.cli.tune_progress import TuneProgress
from tvm_patdnn.cli.without_torch import without_torch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tvm_patdnn.records.tuning_records import Record
    from tvm_patdnn.tuning.search import Search
    from tvm_patdnn.tuning.settle_network import Settled
    from tvm_patdnn.tuning.tune import Tuned, TuneRequest

__all__ = ["add_parser"]

_SEARCHES = ("genetic", "random", "default")
_TRIALS = 400


def add_parser(commands: Any) -> None:
    """Adds the command."""
    text = "find the fastest schedule of each layer by measuring"
    parser = add_command(commands, "tune", text, _run)
    add_model(parser)
    add_target(parser)
    parser.add_argument(
        "--log",
        metavar="DIR",
        type=Path,
        default=Path("tuning"),
        help="folder of records, which a later run goes on with and `build --logs DIR` reads "
        "(default: tuning)",
    )
    add_positive(parser, "--trials", _TRIALS, "schedules to measure, of all layers together")
    parser.add_argument(
        "--time", metavar="MIN", type=positive, help="begin nothing new after so many minutes"
    )
    parser.add_argument(
        "--search",
        choices=_SEARCHES,
        default="genetic",
        help="genetic: guided by a model that learns; random; default: only what is chosen "
        "without measuring (default: genetic)",
    )
    parser.add_argument(
        "--seed", metavar="N", type=int, default=0, help="of the search (default: 0)"
    )
    add_device(parser, "Measure there; without --target the device says what it is")
    add_output_options(parser)


def _run(args: argparse.Namespace) -> None:
    with TuneProgress(args.trials, quiet=args.quiet) as progress:
        progress.phase("loading TVM")
        with without_torch():
            from tvm_patdnn.tuning.tune import tune

        try:
            tuned = tune(_asked(args), progress.phase, progress.trials, progress.finished)
        except KeyboardInterrupt:
            print(f"what was measured is in {args.log}: the same again goes on", file=sys.stderr)
            raise
    print(json.dumps(_values(tuned, args.log), indent=2) if args.json else _text(tuned, args.log))


def _asked(args: argparse.Namespace) -> TuneRequest:
    from tvm_patdnn.compilation import Request
    from tvm_patdnn.tuning.tune import TuneRequest
    from tvm_patdnn.tuning.tuner import TuneOptions

    device = given_device(args)
    target = args.target
    if device is not None and target is None:
        from tvm_patdnn.device.device import Device

        with Device(device) as asked:
            target = asked.target
    request = Request(onnx_model=args.model, target=target, input_shapes=dict(args.input_shape))
    return TuneRequest(
        request=request,
        log=args.log,
        search=_search(args.search, args.seed),
        device=device,
        options=TuneOptions(trials=args.trials, seconds=60 * args.time if args.time else None),
    )


def _search(name: str, seed: int) -> Callable[[Sequence[Record]], Search]:
    from tvm_patdnn.tuning.ranking_model import check_xgboost, learned_score
    from tvm_patdnn.tuning.search import DefaultSearch, GeneticSearch, RandomSearch

    if name == "genetic":
        check_xgboost()
        return lambda records: GeneticSearch(seed=seed, score=learned_score(records, seed))
    search = RandomSearch(seed=seed) if name == "random" else DefaultSearch()
    return lambda records: search


def _text(tuned: Tuned, log: Path) -> str:
    if tuned.network is None:
        return f"nothing left to measure: {tuned.trials} trials in {log}\nuse: --logs {log}"
    lines = [
        f"network: {_times(tuned.network)}",
        f"{tuned.trials} trials in {log}{_average(tuned)}",
    ]
    if tuned.network.kept:
        others = "; layers get other layouts, too" if tuned.network.layouts else ""
        lines.append(f"layers that get another kernel: {_changed(tuned.network)}{others}")
        lines.append(f"use: tvm-patdnn build MODEL.onnx --logs {log} -o OUT.so")
    else:
        lines.append(
            "nothing that was measured is clearly faster than what is built by default: "
            f"with {log} builds are as without it"
        )
    return "\n".join(lines)


def _times(network: Settled) -> str:
    before, after = 1e3 * network.times.default_s, 1e3 * network.times.tuned_s
    if not network.tried:
        return f"{before:.3f} ms"
    return f"{before:.3f} ms before, {after:.3f} ms after: {before / after:.2f}x"


def _changed(network: Settled) -> int:
    return sum(len(task.task.layers) for task in network.choices)


def _average(tuned: Tuned) -> str:
    spent = tuned.seconds_a_trial
    return f"; those of this run took {spent:.2f} s each on average" if spent else ""


def _values(tuned: Tuned, log: Path) -> dict[str, Any]:
    network = tuned.network
    choices = network.choices if network else {}
    return {
        "log": str(log),
        "trials": tuned.trials,
        "seconds_a_trial": tuned.seconds_a_trial,
        "layers": tuned.layers,
        "kept": network is None or network.kept,
        "layouts": network is not None and network.layouts,
        "default_s": network.times.default_s if network else None,
        "tuned_s": network.times.tuned_s if network else None,
        "tasks": [
            {
                "layers": list(each.task.layers),
                "workload": each.task.key.workload,
                "trials": each.trials,
                "default_s": each.default_s,
                "best_s": each.best_s,
                "configuration": choices.get(each, each.default).to_json(),
            }
            for each in tuned.tasks
        ],
    }
