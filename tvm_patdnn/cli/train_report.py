"""``tvm-patdnn train --report`` and ``--time``: what there is to do with rows of runs."""

from __future__ import annotations

import argparse

from tvm_patdnn.progress import PhaseBar

__all__ = ["report_rows", "time_rows"]


def report_rows(args: argparse.Namespace) -> None:
    """Writes the pages, and prints the names of the files."""
    from tvm_patdnn.training.accuracy.latencies import read_latencies
    from tvm_patdnn.training.accuracy.page import write_report
    from tvm_patdnn.training.rows import read_rows

    latencies = read_latencies(args.latencies) if args.latencies else None
    for path in write_report(read_rows(args.report), args.output, latencies):
        print(path)


def time_rows(args: argparse.Namespace) -> None:
    """Measures the networks of rows, writes the file, and prints the milliseconds."""
    from tvm_patdnn.training.accuracy.latencies import by_structure, write_latencies
    from tvm_patdnn.training.accuracy.time_networks import time_networks
    from tvm_patdnn.training.data import open_data
    from tvm_patdnn.training.rows import read_rows
    from tvm_patdnn.whole_file import check_writable

    check_writable(args.output)
    rows = read_rows(args.time)
    data = open_data(args.data, image_size=args.image_size)
    with PhaseBar(len(by_structure(rows, data.name)) + 1, quiet=args.quiet) as progress:
        found = time_networks(
            rows, data, threads=args.threads, tick=lambda: progress("building and timing")
        )
    write_latencies(found, args.output)
    for name, time in found.milliseconds.items():
        print(f"{time:8.3f} ms  {name}")
