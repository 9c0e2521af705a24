"""Parses the command line and turns errors into one line and an exit status."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from tvm_patdnn.cli.signals import signals_remembered
from tvm_patdnn.errors import PatDNNError

__all__ = ["COMMANDS", "main"]

_NAMES = (
    *("inspect", "prune", "train", "quantize", "build", "run", "eval"),
    *("tune", "logs", "serve", "targets", "bench"),
)
# A distribution that only runs libraries has only some of them.
COMMANDS = tuple(
    import_module(f"tvm_patdnn.cli.{name}")
    for name in _NAMES
    if find_spec(f"tvm_patdnn.cli.{name}") is not None
)
_DISTRIBUTIONS = ("tvm-patdnn", "tvm-patdnn-runtime")

_FAILURE = 1
_SIGNALLED = 128  # and the number of the signal, as shells have it
_ENDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: the words after the program's name; those of the process by default.

    Returns:
        0; 1 after an error, which is told in one line on stderr; 130 after Ctrl-C, 143 after
        SIGTERM.

    Raises:
        SystemExit: with 2 for words that are not a command, with 0 after ``--help``.
    """
    args = _parser().parse_args(argv)
    args.words = tuple(sys.argv[1:] if argv is None else argv)
    failed: Exception | None = None
    with signals_remembered() as came:
        try:
            _run(args)
        except KeyboardInterrupt:
            came.append(signal.SIGINT)
        except (PatDNNError, OSError) as error:
            failed = error
        except BaseException:
            if not came:  # else it is what became of the signal on its way
                raise
    if came:
        print(f"tvm-patdnn: {_ENDS[signal.Signals(came[0])]}", file=sys.stderr)
        return _SIGNALLED + came[0]
    if failed is not None:
        print(f"tvm-patdnn: error: {' '.join(str(failed).split())}", file=sys.stderr)
        return _FAILURE
    return 0


def _run(args: argparse.Namespace) -> None:
    try:
        args.run(args)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of our output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tvm-patdnn",
        description="Compiles pattern-pruned CNNs so that the pruned work is not done.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(commands)
    return parser


class _Version(argparse.Action):
    """Looks the version up when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(_installed())
        parser.exit()


def _installed() -> str:
    for name in _DISTRIBUTIONS:
        try:
            return f"{name} {version(name)}"
        except PackageNotFoundError:
            continue
    return "tvm-patdnn (not installed)"  # a checkout
