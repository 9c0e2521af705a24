"""``tvm-patdnn build``: from an ONNX file to a library of one of two kinds."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tvm_patdnn.cli.arguments import (
    add_command,
    add_logs,
    add_model,
    add_output_options,
    add_target,
)
from tvm_patdnn.cli.seen_warnings import seen_warnings
from tvm_patdnn.cli.spare_memory_work import keep_freed_memory, without_collections
from tvm_patdnn.cli.without_torch import without_torch
from tvm_patdnn.progress import BUILD_PHASES, PhaseBar

if TYPE_CHECKING:
    from tvm_patdnn.cli.written import Written

__all__ = ["add_parser"]

_LOG = logging.getLogger(__name__)

# What the key of a build has in another form, and what is done before a build or after it.
_OUTSIDE = (
    *("version", "words", "run", "model", "output"),
    *("dump", "no_cache", "verify", "json"),
)
_OPTIMIZATIONS = ("patterns", "reorder", "share-loads", "tune", "transforms")


def add_parser(commands: Any) -> None:
    """Adds the command."""
    text = "compile a model to a shared library that skips the pruned work"
    parser = add_command(commands, "build", text, _run)
    add_model(parser)
    parser.add_argument("-o", "--output", metavar="OUT.so", type=Path, required=True)
    add_target(parser)
    add_logs(parser)
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
        help=f"leave out an optimisation, to see its worth: {', '.join(_OPTIMIZATIONS)} "
        "(Winograd's, of dense layers, whose weights make a library larger)",
    )
    parser.add_argument(
        "--dump", metavar="DIR", type=Path, help="write the module after each pass to this folder"
    )
    parser.add_argument(
        "--no-cache",
        action="store_true",
        help="build anew what was built before, and keep nothing",
    )
    parser.add_argument(
        "--storage",
        choices=("float32", "float16"),
        default="float32",
        help="type of a GPU's tensors and weights; sums are float32 (default: float32)",
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
        seen_warnings(quiet=args.quiet) as warnings,
    ):
        written = _kept_or_built(args, progress, warnings)
        differences = _verified(args) if args.verify else {}
    _show(args, written, differences)


def _kept_or_built(
    args: argparse.Namespace, progress: PhaseBar, warnings: Sequence[str]
) -> Written:
    """Writes what an earlier build of the same kept, or builds it, and keeps that."""
    from tvm_patdnn.cli.build_cache import BuildCache, cache_folder
    from tvm_patdnn.cli.build_key import build_key

    folder = None if args.no_cache or args.dump else cache_folder()
    cache = BuildCache(folder=folder) if folder else None
    key = build_key(Path(args.model), _options(args)) if cache else None
    kept = cache.find(key, args.output, args.name) if cache and key else None
    if kept is not None:
        progress("found in the cache")
        for warning in kept.warnings:
            _LOG.warning("%s", warning)
        return kept.written
    written = _built(args, progress)
    if cache and key:
        cache.keep(key, args.output, written, warnings)
    return written


def _options(args: argparse.Namespace) -> dict[str, object]:
    """Returns all that was asked for and changes what is written or said."""
    asked = {name: value for name, value in vars(args).items() if name not in _OUTSIDE}
    return asked | {"suffix": args.output.suffix, "logs": tuple(_log_digests(args.logs))}


def _log_digests(logs: str | None) -> Iterator[str]:
    from tvm_patdnn.cli.build_key import file_digest
    from tvm_patdnn.records.log_files import log_files

    for file in log_files(logs):
        yield file_digest(file)


def _built(args: argparse.Namespace, progress: PhaseBar) -> Written:
    progress("loading TVM")
    keep_freed_memory()
    with without_torch(), without_collections():
        from tvm_patdnn.builder import build
    from tvm_patdnn.cli.write_library import WriteOptions
    from tvm_patdnn.optimizations import Optimizations

    if args.verify:
        _check_verifiable(args)
    writing = WriteOptions(output=args.output, kind=args.kind, name=args.name)
    writing.check(args.target)
    without = {name.replace("-", "_"): False for name in args.without}
    library = build(
        args.model,
        args.target,
        input_shapes=dict(args.input_shape),
        logs=args.logs,
        optimizations=Optimizations(sparse=not args.dense, **without),
        dump=args.dump,
        storage=args.storage,
        lazy=writing.may_be_standalone,
        progress=progress,
    )
    progress("linking")
    return writing.write(library)


def _check_verifiable(args: argparse.Namespace) -> None:
    from tvm_patdnn.cli.verify_library import check_verifiable

    check_verifiable(args.output, args.target)


def _verified(args: argparse.Namespace) -> Mapping[str, float]:
    from tvm_patdnn.cli.verify_library import verify_library

    _check_verifiable(args)
    return verify_library(args.output, args.model, args.storage)


def _show(args: argparse.Namespace, written: Written, differences: Mapping[str, float]) -> None:
    from tvm_patdnn.cli.show_report import report_json, report_text
    from tvm_patdnn.library.report import Report

    report = Report(written.layers)
    if args.json:
        facts: dict[str, object] = {
            "library": str(args.output),
            "bytes": written.bytes,
            "target": written.target,
            "kind": written.kind,
            "files": [str(file) for file in written.files],
        }
        if args.verify:
            facts["verified"] = differences
        print(report_json(report, **facts))
        return
    print(f"{report_text(report)}\n\n{args.output}: {written}")
    for name, difference in differences.items():
        print(f"{name}: differs from ONNX Runtime by {difference:.1g} of its largest value")
    for file in written.files:
        if file != args.output:
            print(file)
