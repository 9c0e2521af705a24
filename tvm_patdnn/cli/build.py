"""``tvm-patdnn build``: from an ONNX file to a library of one of two kinds."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tvm_patdnn.cli.arguments import add_command, add_model, add_output_options, add_target
from tvm_patdnn.progress import BUILD_PHASES, PhaseBar

__all__ = ["add_parser"]

_OPTIMIZATIONS = ("patterns", "reorder", "share-loads", "tune")


def add_parser(commands: Any) -> None:
    """Adds the command."""
    text = "compile a model to a shared library that skips the pruned work"
    parser = add_command(commands, "build", text, _run)
    add_model(parser)
    parser.add_argument("-o", "--output", metavar="OUT.so", type=Path, required=True)
    add_target(parser)
    _add_kind(parser)
    parser.add_argument(
        "--dense", action="store_true", help="compute pruned layers as if they were dense"
    )
    parser.add_argument(
        "--without",
        metavar="OPTIMIZATION",
        action="append",
        choices=_OPTIMIZATIONS,
        default=[],
        help=f"leave out an optimisation, to see its worth: {', '.join(_OPTIMIZATIONS)}",
    )
    parser.add_argument(
        "--dump", metavar="DIR", type=Path, help="write the module after each pass to this folder"
    )
    parser.add_argument(
        "--verify",
        action="store_true",
        help="run the library on a made-up input and compare with ONNX Runtime, which must be "
        "installed",
    )
    add_output_options(parser)


def _add_kind(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "kinds of libraries",
        "A standalone library needs neither TVM nor Python; the other kind (vm) needs TVM to run. "
        "Without these options OUT.so is standalone where the machine has a C compiler for the "
        "target and the model allows it.",
    )
    kind = group.add_mutually_exclusive_group()
    kind.add_argument("--kind", choices=("standalone", "vm"), help="write this kind, or fail")
    kind.add_argument(
        "--standalone",
        dest="kind",
        action="store_const",
        const="standalone",
        help="the same as --kind standalone: writes NAME.h, too; OUT may end in .so, .a or .o, or "
        "have no suffix: then it is a folder of C files to compile elsewhere",
    )
    group.add_argument(
        "--name",
        default="model",
        help="prefix of a standalone library's functions, and its header's name (default: model)",
    )


def _run(args: argparse.Namespace) -> None:
    with (
        PhaseBar(BUILD_PHASES + 2, quiet=args.quiet, lines=True) as progress,
        _warnings(quiet=args.quiet),
    ):
        progress("loading TVM")
        from tvm_patdnn.builder import build
        from tvm_patdnn.cli.show_report import report_json, report_text
        from tvm_patdnn.cli.verify_library import check_verifiable, verify_library
        from tvm_patdnn.cli.write_library import WriteOptions
        from tvm_patdnn.optimizations import Optimizations

        writing = WriteOptions(output=args.output, kind=args.kind, name=args.name)
        writing.check(args.target)
        if args.verify:
            check_verifiable(args.output, args.target)
        without = {name.replace("-", "_"): False for name in args.without}
        library = build(
            args.model,
            args.target,
            input_shapes=dict(args.input_shape),
            optimizations=Optimizations(sparse=not args.dense, **without),
            dump=args.dump,
            lazy=writing.may_be_standalone,
            progress=progress,
        )
        progress("linking")
        written = writing.write(library)
        differences = verify_library(args.output, args.model) if args.verify else {}
    if args.json:
        facts = {
            "library": str(args.output),
            "bytes": written.bytes,
            "target": library.metadata.target,
            "kind": written.kind,
            "files": [str(file) for file in written.files],
        }
        if args.verify:
            facts["verified"] = differences
        print(report_json(library.report, **facts))
    else:
        print(f"{report_text(library.report)}\n\n{args.output}: {written}")
        for name, difference in differences.items():
            print(f"{name}: differs from ONNX Runtime by {difference:.1g} of its largest value")
        for file in written.files:
            if file != args.output:
                print(file)


@contextmanager
def _warnings(*, quiet: bool) -> Iterator[None]:
    """Logs warnings unless the user asked for quiet."""
    before = logging.root.manager.disable
    logging.disable(max(before, logging.WARNING) if quiet else before)
    try:
        yield
    finally:
        logging.disable(before)
