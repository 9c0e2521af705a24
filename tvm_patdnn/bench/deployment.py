"""What a deployed model costs besides its time: file, loading, first run, memory.

``python -m tvm_patdnn.bench.deployment MODEL.onnx [--threads N] [--json ROWS.jsonl]`` measures,
each in processes of their own and in turns: the standalone kind, in a C program and in Python,
the kind that runs in TVM with the whole of TVM and with its runtime alone, and onnxruntime.
"""

from __future__ import annotations

import argparse
import datetime
import json
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tvm_patdnn.bench.deployed_ways import Way, deployed_ways
from tvm_patdnn.machine.cpu_name import cpu_name
from tvm_patdnn.row_file import append_lines

__all__ = ["DeploymentRow", "allowed_kib", "deployment_rows", "deployment_table"]

_HUGE_FROM, _HUGE_PAGE = 4 << 20, 2 << 20  # as the runtime rounds an instance's memory
_PROGRAM = 4 << 20  # bytes for what any program takes


@dataclass(frozen=True, kw_only=True)
class DeploymentRow:
    """One way to run a model.

    Attributes:
        model: the file's name without its ending.
        import_s: seconds of importing what is not numpy; 0 in C.
        load_s: seconds from there to a model that can run.
        first_s, median_s: seconds of the first run and the median of the others.
        peak_kib: the most memory that the process held, Python and numpy included.
        allowed_kib: what a C program should not exceed: the file, the instance's memory, inputs,
            outputs, and 4 MB; None for others.
        file_bytes: of what is shipped.
        versions, cpu, date: of what built it, of the machine, of the day.
    """

    model: str
    way: str
    threads: int
    import_s: float
    load_s: float
    first_s: float
    median_s: float
    peak_kib: int
    allowed_kib: int | None
    file_bytes: int
    versions: Mapping[str, str]
    cpu: str
    date: str


def deployment_rows(
    model: Path, threads: int, *, rounds: int = 3, repeats: int = 20
) -> list[DeploymentRow]:
    """Builds both kinds and measures all ways, in turns.

    Args:
        rounds: processes of each way, after one that is not measured; the medians are taken
            over them.

    Raises:
        ModelError, BuildError: see ``build``.
        BenchError: a process fails.
    """
    from tvm_patdnn.builder import build

    with tempfile.TemporaryDirectory(prefix="tvm-patdnn-") as folder:
        library = build(model, lazy=True)
        ways = deployed_ways(library, model, Path(folder))
        measured: dict[str, list[dict]] = {name: [] for name in ways}
        for turn in range(1 + rounds):
            for name, way in ways.items():
                said = way.measure(threads, repeats if turn else 0)
                measured[name] += [said] * bool(turn)
        versions = library.metadata.versions
        return [
            _row(model.stem, name, threads, ways[name], runs, versions)
            for name, runs in measured.items()
        ]


def _row(
    model: str,
    name: str,
    threads: int,
    way: Way,
    runs: Sequence[dict],
    versions: Mapping[str, str],
) -> DeploymentRow:
    size = way.path.stat().st_size
    return DeploymentRow(
        model=model,
        way=name,
        threads=threads,
        import_s=statistics.median(run.get("import_s", 0) for run in runs),
        load_s=statistics.median(run["load_s"] for run in runs),
        first_s=statistics.median(run["times_s"][0] for run in runs),
        median_s=statistics.median(second for run in runs for second in run["times_s"][1:]),
        peak_kib=max(run["peak_kib"] for run in runs),
        allowed_kib=allowed_kib(size, runs[0]) if "memory" in runs[0] else None,
        file_bytes=size,
        versions=versions,
        cpu=cpu_name(),
        date=datetime.date.today().isoformat(),
    )


def allowed_kib(size: int, run: Mapping[str, int]) -> int:
    """Returns what a C program may take; see ``DeploymentRow``.

    Args:
        size: bytes of what is shipped.
        run: what a process said; see ``Way.measure``.
    """
    memory = run["memory"]
    if memory >= _HUGE_FROM:
        memory = -(-memory // _HUGE_PAGE) * _HUGE_PAGE
    return (size + memory + run["tensors"] + _PROGRAM) // 1024


def deployment_table(rows: Sequence[DeploymentRow]) -> str:
    """The rows as a table in Markdown."""
    lines = ["| | file, KiB | import, ms | load, ms | first run, ms | run, ms | peak memory, MB |"]
    lines.append("|---|---|---|---|---|---|---|")
    for row in rows:
        numbers = [f"{row.file_bytes / 1024:,.0f}"]
        numbers += [f"{row.import_s * 1e3:,.1f}", f"{row.load_s * 1e3:,.1f}"]
        numbers += [f"{row.first_s * 1e3:.2f}", f"{row.median_s * 1e3:.2f}"]
        lines.append(f"| {row.way} | {' | '.join(numbers)} | {row.peak_kib / 1024:.0f} |")
    return "\n".join(lines)


def _main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("model", type=Path, metavar="MODEL.onnx")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--json", type=Path, metavar="ROWS.jsonl", help="append the rows to this file"
    )
    args = parser.parse_args()
    rows = deployment_rows(args.model, args.threads, rounds=args.rounds)
    if args.json:
        append_lines(args.json, [json.dumps(asdict(row)) for row in rows])
    print(deployment_table(rows))


if __name__ == "__main__":
    _main()
