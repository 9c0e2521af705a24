"""The arguments of ``tvm-patdnn train``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tvm_patdnn.cli.arguments import positive, rewind_choice
from tvm_patdnn.cli.prune import add_amounts, add_layers

__all__ = ["SETTINGS", "add_train_arguments", "check_train_arguments"]

_METHODS = ("admm", "oneshot", "gradual", "reweighted", "unstructured", "filter", "dense")
_EPILOG = """\
The network is any importable MODULE:FACTORY, called with num_classes where it takes that.
FOLDER holds CIFAR-10 (python or binary version), MNIST's or Fashion-MNIST's four idx files,
*_train_jpeg.npz and *_test_jpeg.npz, or train/CLASS/ and test/CLASS/ with images.
"""

#: The arguments that are fields of ``TrainSettings`` of the same name: type, default, help.
SETTINGS: dict[str, tuple[Callable[[str], Any], Any, str]] = {
    "dense_epochs": (int, 160, "of pretraining"),
    "prune_epochs": (int, 60, "of the pruning phase"),
    "retrain_epochs": (int, 100, "after it"),
    "batch": (int, 128, "images per step"),
    "lr": (float, 0.1, "the highest learning rate of pretraining"),
    "prune_lr": (float, 0.01, "the constant learning rate of the pruning phase"),
    "retrain_lr": (float, 0.05, "the highest learning rate of retraining"),
    "momentum": (float, 0.9, "of the optimiser"),
    "weight_decay": (float, 5e-4, "of the optimiser, for all but batch norms and biases"),
    "label_smoothing": (float, 0.0, "share of the target that is spread over all classes"),
    "distill": (float, 0.0, "weight of a teacher's outputs in retraining, 0 to 1"),
    "seed": (int, 0, "of everything random"),
}


def add_train_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds them to the parser of the command."""
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    _add_subject(parser.add_argument)
    _add_results(parser.add_argument)
    pruning = parser.add_argument_group("what to prune")
    add_amounts(pruning)
    pruning.add_argument(
        "--pattern",
        metavar="##./.#./...",
        action="append",
        help="a pattern to use instead of mining; once per pattern",
    )
    add_layers(pruning)
    _add_goals(pruning.add_argument)
    _add_method(parser.add_argument_group("how to prune").add_argument)
    _add_training(parser.add_argument_group("training").add_argument)
    _add_instead(parser.add_argument_group("instead of a run").add_argument)


def check_train_arguments(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """Ends with a usage error where arguments are missing or contradict each other."""
    if args.report:
        if args.network or args.data or args.time:
            parser.error("--report cannot be combined with --network, --data or --time")
        return
    if args.latencies:
        parser.error("--latencies belongs to --report")
    if args.time:
        if args.network or not args.data:
            parser.error("--time needs --data, and cannot be combined with --network")
        return
    missing = [f"--{name}" for name in ("network", "data") if getattr(args, name) is None]
    if missing:
        parser.error(f"the following arguments are required: {', '.join(missing)}")
    if args.target_macs is not None and args.target_speedup is not None:
        parser.error("--target-macs and --target-speedup: give one goal")
    if args.target is not None and args.target_speedup is None:
        parser.error("--target belongs to --target-speedup")
    for name in ("teacher", "teacher_scores", "distill_pruning"):
        if getattr(args, name) and not args.distill:
            parser.error(f"--{name.replace('_', '-')} belongs to --distill")
    if args.teacher_network is not None and args.teacher is None:
        parser.error("--teacher-network belongs to --teacher")


def _add_subject(add: Callable[..., Any]) -> None:
    add("--network", metavar="MODULE:FACTORY", help="such as models.resnet:resnet20")
    add("--data", metavar="FOLDER", type=Path, help="the images; see below")
    add(
        "--image-size",
        metavar="N",
        type=positive,
        help="read images of folders when they are needed, and scale them to N x N pixels by "
        "the usual recipe for ImageNet (default: as they are, all in memory)",
    )
    add("--limit", metavar="N", type=positive, help="train on N images only")
    add("--limit-test", metavar="N", type=positive, help="test on N images only")
    add(
        "--flip",
        action=argparse.BooleanOptionalAction,
        help="mirror training images at random (default: but for idx files)",
    )
    add(
        "--method",
        choices=_METHODS,
        default="admm",
        help="how to prune; the last three are to compare with: single weights, whole "
        "channels, nothing (%(default)s)",
    )


def _add_results(add: Callable[..., Any]) -> None:
    add(
        "-o",
        "--output",
        metavar="FOLDER",
        type=Path,
        required=True,
        help="for pruned.onnx, network.pt, the checkpoint, the history (JSON, CSV and, where it is "
        "installed, TensorBoard) and the plots",
    )
    add(
        "--dense",
        metavar="FILE",
        type=Path,
        help="the pretrained dense network: read if it is there, else written (default: "
        "dense.pt in the output folder)",
    )
    add(
        "--overwrite",
        action="store_true",
        help="begin anew in an output folder that holds a run already",
    )
    add("--resume", action="store_true", help="continue from the checkpoint of the output folder")
    add("--json", metavar="FILE", type=Path, help="append the result to FILE, as a line of JSON")
    add("--plots", action="store_true", help="draw curves, residuals, patterns, sensitivities")
    add("-q", "--quiet", action="store_true", help="show neither progress nor warnings")


def _add_instead(add: Callable[..., Any]) -> None:
    rows: dict[str, Any] = {"metavar": "ROWS", "nargs": "+", "type": Path}
    add(
        "--report",
        **rows,
        help="write the tables of these --json files to the page -o, with commands, settings and "
        "plots in the folder of its name",
    )
    add(
        "--latencies",
        metavar="FILE",
        type=Path,
        help="what --time wrote, for the tables and plots of --report",
    )
    add(
        "--time",
        **rows,
        help="build networks as these --json files' runs pruned them for this machine, and write "
        "how long they take with --threads threads to the file -o; needs --data",
    )


def _add_goals(add: Callable[..., Any]) -> None:
    add(
        "--target-macs",
        metavar="N",
        type=float,
        help="choose rates so that N multiply-accumulates are left in the convolutions",
    )
    add(
        "--target-speedup",
        metavar="X",
        type=float,
        help="choose rates so that the compiler's cost model says X times faster than dense",
    )
    add("--target", metavar="T", help="what it is compiled for (default: this machine)")
    add(
        "--scan",
        metavar="N",
        type=int,
        default=0,
        help="measure how sensitive each layer is on N training images, and let sensitive "
        "layers keep more; 0 gives all layers one rate (%(default)s)",
    )


def _add_method(add: Callable[..., Any]) -> None:
    add("--update-every", metavar="N", type=int, default=3, help="epochs (%(default)s)")
    add(
        "--rho",
        metavar="X",
        type=float,
        default=1e-4,
        help="of ADMM's first stage (%(default)s); some 0.01, with a factor near 2, where the "
        "pruning phase has only a thousand steps",
    )
    add(
        "--rho-factor",
        metavar="X",
        type=float,
        default=10.0,
        help="from stage to stage (%(default)s)",
    )
    add("--rho-stages", metavar="N", type=int, default=4, help="(%(default)s)")
    add("--restart-duals", action="store_true", help="start every stage with dual variables of 0")
    add(
        "--strength",
        metavar="X",
        type=float,
        default=1e-5,
        help="of the reweighted penalty (%(default)s)",
    )


def _add_training(add: Callable[..., Any]) -> None:
    for name, (kind, default, text) in SETTINGS.items():
        metavar = "N" if kind is int else "X"
        option = f"--{name.replace('_', '-')}"
        add(option, metavar=metavar, type=kind, default=default, help=f"{text} (%(default)s)")
    add(
        "--teacher",
        metavar="PATH",
        type=Path,
        help="the output folder of a finished run on the same images, such as one with --method "
        "dense, or its network.pt, whose network --distill learns from (default: the pretrained "
        "dense network)",
    )
    add(
        "--distill-pruning",
        action="store_true",
        help="learn from the teacher in the pruning phase, too",
    )
    add(
        "--teacher-scores",
        metavar="FOLDER",
        type=Path,
        help="keep the teacher's outputs there: other runs of the same seed and images take them "
        "instead of computing them",
    )
    add(
        "--rewind",
        metavar="EPOCH|fresh",
        type=rewind_choice,
        help="retrain what pruning kept from the weights after so many epochs of pretraining, 0 "
        "for the first, or from fresh ones (default: from what pruning left)",
    )
    add(
        "--teacher-network",
        metavar="MODULE:FACTORY",
        help="that makes the teacher; it is imported and called (default: that of --network)",
    )
    add(
        "--precision",
        choices=["auto", "float32", "bfloat16"],
        default="auto",
        help="of products; auto is bfloat16 where the processor computes it (%(default)s)",
    )
    add(
        "--torch-device",
        metavar="D",
        help="where torch computes, such as cpu or cuda:1 (default: a GPU where there is one)",
    )
    add("--threads", metavar="N", type=positive, help="of the CPU (default: torch's)")
    add(
        "--evaluate-every",
        metavar="N",
        type=positive,
        default=1,
        help="epochs between tests (%(default)s)",
    )
