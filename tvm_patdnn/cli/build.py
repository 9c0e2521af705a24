"""``tvm-patdnn build``: from an ONNX file to a shared library."""

from __future__ import annotations

import argparse
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
    add_output_options(parser)


def _run(args: argparse.Namespace) -> None:
    with PhaseBar(BUILD_PHASES + 2, quiet=args.quiet) as progress:
        progress("loading TVM")
        from tvm_patdnn.builder import build
        from tvm_patdnn.cli.show_report import report_json, report_text
        from tvm_patdnn.optimizations import Optimizations
        from tvm_patdnn.whole_file import check_writable

        check_writable(args.output)
        without = {name.replace("-", "_"): False for name in args.without}
        library = build(
            args.model,
            args.target,
            input_shapes=dict(args.input_shape),
            optimizations=Optimizations(sparse=not args.dense, **without),
            dump=args.dump,
            progress=progress,
        )
        progress("linking")
        library.export_library(args.output)
    size = args.output.stat().st_size
    if args.json:
        facts = {"library": str(args.output), "bytes": size, "target": library.metadata.target}
        print(report_json(library.report, **facts))
    else:
        print(f"{report_text(library.report)}\n\n{args.output}: {size / 1024:,.0f} KiB")
