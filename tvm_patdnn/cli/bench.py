"""``tvm-patdnn bench``: our library against others, side by side."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from tvm_patdnn.cli.arguments import add_command, input_shape, positive
from tvm_patdnn.cli.progress import PhaseBar

if TYPE_CHECKING:
    from tvm_patdnn.bench.options import BenchOptions
    from tvm_patdnn.bench.rows import Row

__all__ = ["add_parser"]

_STDOUT = Path("-")
_EPILOG = """\
Systems: tvm-dense, tvm-untuned, onnxruntime, openvino, ncnn, MNN, torch. Each is found where
it is installed, or in an environment of its own: --install makes one in .venv-bench (or in
the folder that TVM_PATDNN_BENCH_ENVS names), TVM_PATDNN_BENCH_PYTHON_<SYSTEM> names a Python.
"""


def add_parser(commands: Any) -> None:
    """Adds the command."""
    text = "compare latencies with other systems, taking turns in one run"
    parser = add_command(commands, "bench", text, _run)
    parser.set_defaults(run=partial(_run, parser))
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("model", metavar="MODEL.onnx", nargs="?", type=Path)
    _add_comparison(parser.add_argument)
    _add_settings(parser.add_argument)
    _add_results(parser.add_argument)
    group = parser.add_argument_group("instead of a comparison")
    group.add_argument(
        "--install", metavar="SYSTEM,...", type=_names, help="make environments for these systems"
    )
    group.add_argument(
        "--report",
        metavar="ROWS",
        nargs="+",
        type=Path,
        help="write tables and plots of these --json files to the page -o",
    )
    group.add_argument("-o", "--output", metavar="PAGE.md", type=Path)


def _add_comparison(add: Callable[..., Any]) -> None:
    add(
        "--dense",
        metavar="DENSE.onnx",
        type=Path,
        help="the network before pruning, for the other systems (default: MODEL.onnx, whose "
        "zeros are numbers to them)",
    )
    add("--against", metavar="SYSTEM,...", type=_names, help="which systems (default: all)")
    add("--per-layer", action="store_true", help="compare each distinct convolution, not the model")
    add(
        "--input-shape",
        metavar="NAME:SIZES",
        action="append",
        type=input_shape,
        default=[],
        help="sizes of a dynamic input, such as x:1,3,224,224; once per input",
    )


def _add_settings(add: Callable[..., Any]) -> None:
    add("--threads", metavar="N", type=positive, help="default: one for each physical core")
    add("--repeats", metavar="N", type=positive, help="timed runs of each system (default: 60)")
    add("--quick", action="store_true", help="a first impression: fewer runs")


def _add_results(add: Callable[..., Any]) -> None:
    add("--json", metavar="FILE", type=Path, help="write the rows as lines of JSON; - prints them")
    add(
        "--plot",
        metavar="FILE.png|.svg",
        action="append",
        type=Path,
        default=[],
        help="draw the result; may be given more than once",
    )
    add("-q", "--quiet", action="store_true", help="show no progress")


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _run(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    modes = [name for name in ("model", "install", "report") if getattr(args, name)]
    if len(modes) != 1:
        parser.error("give one of MODEL.onnx, --install and --report")
    if (args.output is not None) != (args.report is not None):
        parser.error("--report and -o belong together")
    {"model": _compare, "install": _install, "report": _report}[modes[0]](args)


def _compare(args: argparse.Namespace) -> None:
    from tvm_patdnn.bench.plot import check_plot, save_plot
    from tvm_patdnn.bench.session import check_ours, choose_systems, compare, make_subjects, steps
    from tvm_patdnn.bench.table import result_text

    systems = choose_systems(args.against)
    for path in args.plot:
        check_plot(path)
    shapes = dict(args.input_shape)
    subjects = make_subjects(args.model, args.dense, input_shapes=shapes, per_layer=args.per_layer)
    options = _options(args)
    rows: list[Row] = []

    def keep(new: list[Row]) -> None:
        rows.extend(new)
        write(new)

    try:
        with (
            _json_file(args.json) as write,
            PhaseBar(steps(subjects, systems, options), quiet=args.quiet) as progress,
        ):
            compare(
                subjects,
                systems,
                options,
                command=_command(),
                keep=keep,
                progress=progress,
            )
    finally:  # what was measured is shown even if the user stops
        if rows and args.json != _STDOUT:
            print(result_text(rows))
        if any(row.counts for row in rows):
            for path in args.plot:
                save_plot(rows, path)
    check_ours(rows)


def _command() -> str:
    """What the user typed, without the folders of files."""
    words = [Path(word).name if "/" in word else word for word in sys.argv[1:]]
    return shlex.join(["tvm-patdnn", *words])


def _options(args: argparse.Namespace) -> BenchOptions:
    from tvm_patdnn.bench.options import BenchOptions
    from tvm_patdnn.threads import physical_cores

    threads = args.threads or physical_cores()
    if args.quick:
        return BenchOptions.quick(threads=threads, repeats=args.repeats)
    repeats = {"repeats": args.repeats} if args.repeats else {}
    return BenchOptions(threads=threads, **repeats)


@contextmanager
def _json_file(path: Path | None) -> Iterator[Callable[[list[Row]], None]]:
    """Opens the file of rows; each is there as soon as it is known."""
    if path is None:
        yield lambda rows: None
        return
    if path == _STDOUT:
        yield partial(_print_rows, sys.stdout)
        return
    with path.open("w", encoding="utf-8") as file:
        yield partial(_print_rows, file)


def _print_rows(file: TextIO, rows: list[Row]) -> None:
    from tvm_patdnn.bench.rows import json_line

    for row in rows:
        print(json_line(row), file=file, flush=True)


def _install(args: argparse.Namespace) -> None:
    from tvm_patdnn.bench.environments import install
    from tvm_patdnn.bench.session import choose_systems

    systems = choose_systems(args.install)[1:]
    with PhaseBar(2 * len(systems), quiet=args.quiet) as progress:
        folders = [install(system, progress) for system in systems]
    for folder in folders:
        print(folder)


def _report(args: argparse.Namespace) -> None:
    from tvm_patdnn.bench.report_page import write_report
    from tvm_patdnn.bench.rows import read_rows

    write_report(read_rows(args.report), args.output)
    print(args.output)
