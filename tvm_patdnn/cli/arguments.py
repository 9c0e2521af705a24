"""Arguments that several commands have, and how their values are read."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, Literal

__all__ = [
    "add_command",
    "add_input_shape",
    "add_logs",
    "add_model",
    "add_output_options",
    "add_positive",
    "add_target",
    "input_file",
    "input_shape",
    "layer_rate",
    "numbers",
    "pattern_choice",
    "positive",
    "rewind_choice",
]


def add_command(commands: Any, name: str, text: str, run: Callable[..., None]) -> Any:
    """Adds the sub-command ``name``.

    Args:
        commands: what ``add_subparsers`` returned.
        text: its help, a sentence without capital and full stop.
        run: called with the parsed arguments.
    """
    parser = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    parser.set_defaults(run=run)
    return parser


def add_model(parser: argparse.ArgumentParser) -> None:
    """Adds the ONNX file."""
    parser.add_argument("model", metavar="MODEL.onnx")


def add_target(parser: argparse.ArgumentParser) -> None:
    """Adds what to compile for, and for which input sizes."""
    parser.add_argument(
        "--target",
        metavar="T",
        help="what to compile for: a preset such as raspberry-pi-4 (tvm-patdnn targets lists "
        "them), or a string such as 'llvm -mtriple=aarch64-linux-gnu -mcpu=cortex-a72' or, for a "
        "GPU, opencl or 'cuda -arch=sm_80' (default: this machine)",
    )
    add_input_shape(parser.add_argument)


def add_input_shape(add: Callable[..., Any]) -> None:
    """Adds the sizes of an ONNX file's dynamic inputs."""
    add(
        "--input-shape",
        metavar="NAME:SIZES",
        action="append",
        type=input_shape,
        default=[],
        help="sizes of a dynamic input, such as x:1,3,224,224; once per input",
    )


def add_logs(parser: argparse.ArgumentParser) -> None:
    """Adds the records of tuning."""
    parser.add_argument(
        "--logs",
        metavar="DIR",
        help="schedule layers as `tvm-patdnn tune` measured: its log, a file or a folder "
        "(default: TVM_PATDNN_LOGS, where that is set, else the records shipped)",
    )


def add_positive(parser: argparse.ArgumentParser, name: str, default: int, text: str) -> None:
    """Adds an option that is a whole number of at least 1, and says its default."""
    parser.add_argument(
        name, metavar="N", type=positive, default=default, help=f"{text} (default: {default})"
    )


def add_output_options(parser: argparse.ArgumentParser) -> None:
    """Adds what is printed, and how."""
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("-q", "--quiet", action="store_true", help="show no progress")


def input_shape(text: str) -> tuple[str, list[int]]:
    """Reads ``NAME:1,3,224,224``; a name may hold colons itself."""
    name, _, sizes = text.rpartition(":")
    try:
        shape = [int(size) for size in sizes.split(",")]
    except ValueError:
        shape = []
    if not name or not shape or min(shape) < 1:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not an input shape; expected NAME:SIZES such as x:1,3,224,224"
        )
    return name, shape


def input_file(text: str) -> tuple[str, str]:
    """Reads ``NAME=FILE``."""
    name, equals, path = text.partition("=")
    if not (name and equals and path):
        raise argparse.ArgumentTypeError(
            f"'{text}' is not an input; expected NAME=FILE such as x=image.png or x=array.npy"
        )
    return name, path


def layer_rate(text: str) -> tuple[str, float]:
    """Reads ``NAME=RATE``; a name may hold equals signs itself."""
    name, _, rate = text.rpartition("=")
    try:
        return _named(name), float(rate)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a layer's rate; expected NAME=RATE such as conv1=2.5"
        ) from None


def numbers(text: str) -> list[float]:
    """Reads one number, or one per channel: ``0.485,0.456,0.406``."""
    try:
        return [float(number) for number in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"'{text}': expected a number, or one per channel such as 0.485,0.456,0.406"
        ) from None


def pattern_choice(text: str) -> int | Literal["all"]:
    """Reads a number of patterns, or ``all``."""
    if text == "all":
        return "all"
    return _number(text, "a number of patterns to mine, or all")


def rewind_choice(text: str) -> int | Literal["fresh"]:
    """Reads a number of epochs, or ``fresh``."""
    if text == "fresh":
        return "fresh"
    return _number(text, "a number of epochs, or fresh")


def _number(text: str, expected: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}': expected {expected}") from None


def positive(text: str) -> int:
    """Reads a whole number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}': expected a whole number of at least 1")
    return int(text)


def _named(name: str) -> str:
    if not name:
        raise ValueError
    return name
