"""``tvm-patdnn bench``: our library against others, side by side."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from tvm_patdnn.cli.arguments import add_command
from tvm_patdnn.cli.bench_arguments import add_bench_arguments, check_bench_arguments
from tvm_patdnn.cli.device_options import given_device
from tvm_patdnn.cli.typed_command import stored
from tvm_patdnn.progress import PhaseBar

if TYPE_CHECKING:
    from tvm_patdnn.bench.options import BenchOptions
    from tvm_patdnn.bench.rows import Row
    from tvm_patdnn.bench.subject import Subject
    from tvm_patdnn.bench.system import System
    from tvm_patdnn.bench.venue import Venue

__all__ = ["add_parser"]

_STDOUT = Path("-")


def add_parser(commands: Any) -> None:
    """Adds the command."""
    text = "compare latencies with other systems, taking turns in one run"
    parser = add_command(commands, "bench", text, _run)
    parser.set_defaults(run=partial(_run, parser))
    add_bench_arguments(parser)


def _run(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    check_bench_arguments(parser, args)
    if args.install is not None:
        _install(args)
    elif args.report is not None:
        _report(args)
    else:
        _compare(args)


def _compare(args: argparse.Namespace) -> None:
    from tvm_patdnn.bench.plot import save_plot
    from tvm_patdnn.bench.session import check_ours, compare, steps
    from tvm_patdnn.bench.views import result_text
    from tvm_patdnn.plots.plot_file import check_plot

    systems = _systems(args)
    for path in args.plot:
        check_plot(path)
    venue = _venue(args)
    options = _options(args, venue)
    subjects = _subjects(args, options.threads)
    rows: list[Row] = []

    def keep(new: list[Row]) -> None:
        rows.extend(new)
        write(new)

    try:
        with (
            _json_file(args.json) as write,
            PhaseBar(steps(subjects, systems, options, venue), quiet=args.quiet) as progress,
        ):
            compare(
                subjects,
                systems,
                options,
                command=stored(args.words),
                keep=keep,
                progress=progress,
                venue=venue,
            )
    finally:  # what was measured is shown even if the user stops
        if rows and args.json != _STDOUT:
            print(result_text(rows))
        if any(row.counts for row in rows):
            for path in args.plot:
                save_plot(rows, path)
    check_ours(rows)


def _systems(args: argparse.Namespace) -> list[System]:
    from tvm_patdnn.bench.session import choose_systems
    from tvm_patdnn.bench.systems import DENSE, LADDER_SYSTEMS, REFERENCE

    if args.ladder:
        return [*LADDER_SYSTEMS.values(), *choose_systems(args.against or [])[1:]]
    usual = [DENSE.name, REFERENCE.name] if args.sweep else None
    if args.device or args.tracker:
        usual = [DENSE.name]
    return choose_systems(usual if args.against is None else args.against)


def _subjects(args: argparse.Namespace, threads: int) -> Sequence[Subject]:
    from tvm_patdnn.bench.kernel_layers import kernel_subjects
    from tvm_patdnn.bench.ladder import ladder_subjects
    from tvm_patdnn.bench.session import make_subjects
    from tvm_patdnn.bench.sweeps import sweep_subjects

    shapes, model = dict(args.input_shape), args.model
    if args.ladder:
        return ladder_subjects(model, input_shapes=shapes, per_layer=args.per_layer)
    if args.sweep:
        return sweep_subjects(
            args.sweep, model, threads=threads, values=args.values, input_shapes=shapes
        )
    if model is None:
        return kernel_subjects()
    return make_subjects(model, args.dense, input_shapes=shapes, per_layer=args.per_layer)


def _venue(args: argparse.Namespace) -> Venue:
    from tvm_patdnn.bench.venue import HERE

    address = given_device(args)
    if address is None:
        return HERE
    from tvm_patdnn.bench.device_venue import DeviceVenue
    from tvm_patdnn.device.device import Device

    device = Device(address)
    threads = args.threads or device.facts.cores
    return DeviceVenue(device=device, threads=threads, target=args.target, logs=args.logs)


def _options(args: argparse.Namespace, venue: Venue) -> BenchOptions:
    from tvm_patdnn.bench.options import BenchOptions
    from tvm_patdnn.machine.cores import physical_cores

    threads = args.threads or getattr(venue, "threads", None) or physical_cores()
    if args.quick:
        return BenchOptions.quick(threads=threads, repeats=args.repeats)
    repeats = {"repeats": args.repeats} if args.repeats else {}
    return BenchOptions(threads=threads, **repeats)


@contextmanager
def _json_file(path: Path | None) -> Iterator[Callable[[list[Row]], None]]:
    """Gives what adds rows to the file; each is there as soon as it is known."""
    from tvm_patdnn.bench.rows import json_line
    from tvm_patdnn.row_file import append_lines

    if path is None:
        yield lambda rows: None
        return
    if path == _STDOUT:
        yield partial(_print_rows, sys.stdout)
        return
    append_lines(path, [])  # finds out before long work whether it can be written
    yield lambda rows: append_lines(path, map(json_line, rows))


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
