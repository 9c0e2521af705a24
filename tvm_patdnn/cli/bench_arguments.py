"""The arguments of ``tvm-patdnn bench``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tvm_patdnn.cli.arguments import add_input_shape, numbers, positive
from tvm_patdnn.cli.device_options import add_device

__all__ = ["add_bench_arguments", "check_bench_arguments"]

_SWEEPS = ("compression", "patterns", "filter-block", "threads", "image-size")
_EPILOG = """\
Systems: tvm-dense, tvm-untuned, onnxruntime, openvino, ncnn, MNN, torch. Each is found where
it is installed, or in an environment of its own: --install makes one in .venv-bench (or in
the folder that TVM_PATDNN_BENCH_ENVS names), TVM_PATDNN_BENCH_PYTHON_<SYSTEM> names a Python.
"""


def add_bench_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds them to the parser of the command."""
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("model", metavar="MODEL.onnx", nargs="?", type=Path)
    _add_comparison(parser.add_argument)
    _add_series(parser.add_argument_group("series of comparisons"))
    _add_settings(parser.add_argument)
    _add_results(parser.add_argument)
    _add_others(parser.add_argument_group("instead of a comparison"))
    add_device(
        parser,
        "Compare there, each library built for it: tvm-patdnn, tvm-dense (our kernels without "
        "pruning) and, where --against names it, tvm-untuned",
    )


def check_bench_arguments(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """Ends with a usage error where arguments contradict each other."""
    series = args.sweep is not None or args.ladder or args.per_layer
    comparing = args.model is not None or series
    if [comparing, args.install is not None, args.report is not None].count(True) != 1:
        parser.error(
            "give one of MODEL.onnx, --per-layer, --sweep, --ladder, --install and --report"
        )
    if (args.output is not None) != (args.report is not None):
        parser.error("--report and -o belong together")
    if args.sweep and (args.ladder or args.per_layer):
        parser.error("--sweep cannot be combined with --ladder or --per-layer")
    if args.dense and (args.sweep or args.ladder):
        parser.error("--dense is not used here: a sweep prunes MODEL.onnx, a ladder needs no other")
    if args.ladder and args.per_layer and args.model is None:
        parser.error("--ladder --per-layer needs MODEL.onnx")
    if args.dense and args.model is None:
        parser.error("--dense needs MODEL.onnx, which was pruned from it")
    if (args.device or args.tracker) and (args.sweep or args.ladder):
        parser.error("--device compares models or layers, not --sweep or --ladder")
    if (args.logs or args.target) and not (args.device or args.tracker):
        parser.error("--logs and --target belong to --device; here it is this machine's records")
    if args.values and not args.sweep:
        parser.error("--values belongs to --sweep")


def _add_comparison(add: Callable[..., Any]) -> None:
    add(
        "--dense",
        metavar="DENSE.onnx",
        type=Path,
        help="the network before pruning, for the other systems (default: MODEL.onnx, whose "
        "zeros are numbers to them)",
    )
    add(
        "--against",
        metavar="SYSTEM,...",
        type=_names,
        help="which systems (default: all; for a sweep tvm-dense and onnxruntime)",
    )
    add(
        "--per-layer",
        action="store_true",
        help="compare each distinct convolution, not the model; without MODEL.onnx a small "
        "network for each of our kernels, random weights",
    )
    add_input_shape(add)


def _add_series(group: Any) -> None:
    group.add_argument(
        "--sweep",
        choices=_SWEEPS,
        help="compare at several values of a setting, with MODEL.onnx, a dense one, pruned for "
        "each; without it with VGG's convolution 256->256 at 56x56, random weights",
    )
    group.add_argument(
        "--values", metavar="N,...", type=numbers, help="of the sweep, instead of the usual ones"
    )
    group.add_argument(
        "--ladder",
        action="store_true",
        help="compare builds with more and more of our optimisations, of MODEL.onnx, a pruned "
        "one; without it of the distinct layers of VGG-16, random weights",
    )


def _add_settings(add: Callable[..., Any]) -> None:
    add(
        "--threads",
        metavar="N",
        type=positive,
        help="default: one for each physical core; a sweep of threads ends here",
    )
    add("--repeats", metavar="N", type=positive, help="timed runs of each system (default: 60)")
    add("--target", metavar="T", help="of libraries for a --device (default: it says what it is)")
    add("--logs", metavar="DIR", help="of `tvm-patdnn tune`, for libraries of a --device")
    add("--quick", action="store_true", help="a first impression: fewer runs")


def _add_results(add: Callable[..., Any]) -> None:
    add("--json", metavar="FILE", type=Path, help="append the rows as lines of JSON; - prints them")
    add(
        "--plot",
        metavar="FILE.png|.svg",
        action="append",
        type=Path,
        default=[],
        help="draw the result; may be given more than once",
    )
    add("-q", "--quiet", action="store_true", help="show no progress")


def _add_others(group: Any) -> None:
    group.add_argument(
        "--install", metavar="SYSTEM,...", type=_names, help="make environments for these systems"
    )
    group.add_argument(
        "--report",
        metavar="ROWS",
        nargs="+",
        type=Path,
        help="write a summary of these --json files to the page -o, and a page for each model",
    )
    group.add_argument("-o", "--output", metavar="PAGE.md", type=Path)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
