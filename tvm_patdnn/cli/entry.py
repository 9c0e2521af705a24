"""Parses the command line and turns errors into one line and an exit status."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from tvm_patdnn.cli import bench, build, inspect, prune, run, train
from tvm_patdnn.errors import PatDNNError

__all__ = ["COMMANDS", "main"]

COMMANDS = (inspect, prune, train, build, run, bench)

_FAILURE = 1
_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: the words after the program's name; those of the process by default.

    Returns:
        0, or 1 after an error, which is told in one line on stderr.

    Raises:
        SystemExit: with 2 for words that are not a command, with 0 after ``--help``.
    """
    args = _parser().parse_args(argv)
    try:
        args.run(args)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of our output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (PatDNNError, OSError) as error:
        print(f"tvm-patdnn: error: {' '.join(str(error).split())}", file=sys.stderr)
        return _FAILURE
    except KeyboardInterrupt:
        print("tvm-patdnn: interrupted", file=sys.stderr)
        return _INTERRUPTED
    return 0


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
        try:
            print(f"tvm-patdnn {version('tvm-patdnn')}")
        except PackageNotFoundError:  # a checkout that is not installed
            print("tvm-patdnn (not installed)")
        parser.exit()
