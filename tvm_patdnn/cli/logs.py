"""``tvm-patdnn logs``: shows, merges and shortens what tuning has measured."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tvm_patdnn.cli.arguments import add_command, add_positive
from tvm_patdnn.cli.layer_names import layer_names

if TYPE_CHECKING:
    from tvm_patdnn.records.log_upkeep import Summary
    from tvm_patdnn.records.tuning_records import Record

__all__ = ["add_parser"]

_KEPT = 16  # trials of a layer: enough for the learned cost model to begin with


def add_parser(commands: Any) -> None:
    """Adds the command and what it can do."""
    parser = add_command(commands, "logs", "show, merge and shorten logs of tuning", _show)
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    show = add_command(actions, "show", "list the layers of a log with their fastest trial", _show)
    best = add_command(actions, "best", "print the records by which layers are built", _best)
    for each in (show, best):
        each.add_argument("log", metavar="LOG", help="a file, or a folder of *.jsonl")
    show.add_argument("--json", action="store_true", help="print the result as JSON")
    merge = add_command(actions, "merge", "write the records of several logs, each once", _merge)
    merge.add_argument("log", metavar="LOG", nargs="+")
    merge.add_argument("-o", "--output", metavar="OUT.jsonl", type=Path, required=True)
    prune = add_command(
        actions, "prune", "drop slow and failed trials, and those of other versions", _prune
    )
    prune.add_argument("log", metavar="LOG.jsonl", type=Path)
    add_positive(
        prune,
        "--keep",
        _KEPT,
        "trials of each layer: half the fastest, half spread over the others",
    )


def _show(args: argparse.Namespace) -> None:
    from tvm_patdnn.records.log_upkeep import summaries
    from tvm_patdnn.records.record_files import read_log

    found = summaries(read_log(args.log))
    if args.json:
        print(json.dumps([_values(summary) for summary in found], indent=2))
        return
    for summary in found:
        print(_text(summary))


def _values(summary: Summary) -> dict[str, Any]:
    best = summary.best
    return {
        "layers": summary.layers,
        **asdict(summary.key),
        "trials": summary.trials,
        "failures": summary.failures,
        "seconds": best.seconds if best else None,
        "configuration": best.configuration.to_json() if best else None,
    }


def _text(summary: Summary) -> str:
    from tvm_patdnn.records.tuning_key import without_halos

    key, best = summary.key, summary.best
    failed = f", {summary.failures} failed" if summary.failures else ""
    time = f"{1e3 * (best.seconds or 0):.3f} ms: {best.configuration}" if best else "none ran"
    names = f"{layer_names(summary.layers)}: " if summary.layers else ""
    return (
        f"{names}{key.workload} ({key.cpu}, {key.threads} threads; {without_halos(key.layout)})\n"
        f"    {summary.trials} trials{failed}; {time}"
    )


def _best(args: argparse.Namespace) -> None:
    from tvm_patdnn.records.log_upkeep import deciding
    from tvm_patdnn.records.record_files import read_log
    from tvm_patdnn.records.tuning_records import record_line

    for record in deciding(read_log(args.log)):
        print(record_line(record))


def _merge(args: argparse.Namespace) -> None:
    from tvm_patdnn.records.log_upkeep import united
    from tvm_patdnn.records.record_files import read_log

    records = list(united(read_log(log) for log in args.log))
    _write(args.output, records)
    print(f"{args.output}: {len(records)} records")


def _prune(args: argparse.Namespace) -> None:
    from tvm_patdnn.records.log_upkeep import pruned
    from tvm_patdnn.records.shared_logs import replace_records

    before, after = replace_records(args.log, lambda records: pruned(records, args.keep))
    print(f"{args.log}: kept {after} of {before} records of this version")


def _write(path: Path, records: list[Record]) -> None:
    from tvm_patdnn.records.tuning_records import record_line
    from tvm_patdnn.whole_file import write_whole

    with write_whole(path) as partial:
        partial.write_text("".join(f"{record_line(record)}\n" for record in records))
