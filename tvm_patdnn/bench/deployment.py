"""What a deployed model costs besides its time: file, loading, first run, memory.

``python -m tvm_patdnn.bench.deployment MODEL.onnx [--threads N] [--json ROWS.jsonl]`` measures,
each in processes of their own and in turns: the standalone kind, the kind that runs in TVM with
the whole of TVM and with its runtime alone, and onnxruntime.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tvm_patdnn.errors import BenchError

__all__ = ["DeploymentRow", "deployment_rows", "deployment_table"]

_OURS = """
import tvm_patdnn
model = tvm_patdnn.load(path)
inputs = {name: spec for name, spec in model.metadata.inputs.items()}
def prepare(inputs): return inputs
run = model.run
"""
_ONNXRUNTIME = """
import onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = threads
session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
inputs = {one.name: (one.shape, "float32") for one in session.get_inputs()}
def run(inputs): return session.run(None, inputs)
"""
# The child reads numpy first, as all of them need it, and what is measured is the rest.
_CHILD = """
import json, sys, time
import numpy
path, threads, repeats = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
def now(): return time.perf_counter()
begin = now()
{load}
loaded = now()
random = numpy.random.default_rng(0)
feed = {{name: random.random(shape, dtype) for name, (shape, dtype) in inputs.items()}}
times = []
for _ in range(1 + repeats):
    start = now()
    run(feed)
    times.append(now() - start)
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if "VmHWM" in line)
print(json.dumps({{"load_s": loaded - begin, "first_s": times[0], "times_s": times[1:],
                  "peak_kib": peak}}), flush=True)
import os
os._exit(0)
"""


@dataclass(frozen=True, kw_only=True)
class DeploymentRow:
    """One way to run a model.

    Attributes:
        load_s: seconds from after the import of numpy to a model that can run.
        first_s, median_s: seconds of the first run and the median of the others.
        peak_kib: the most memory that the process held, Python and numpy included.
        file_bytes: of what is shipped.
    """

    way: str
    threads: int
    load_s: float
    first_s: float
    median_s: float
    peak_kib: int
    file_bytes: int


@dataclass(frozen=True, kw_only=True)
class _Way:
    path: Path
    load: str
    environment: Mapping[str, str]


def deployment_rows(
    model: Path, threads: int, *, rounds: int = 3, repeats: int = 20
) -> list[DeploymentRow]:
    """Builds both kinds and measures all ways, in turns.

    Args:
        rounds: processes of each way; the medians are taken over them.

    Raises:
        ModelError, BuildError: see ``build``.
        BenchError: a process fails.
    """
    from tvm_patdnn.builder import build

    with tempfile.TemporaryDirectory(prefix="tvm-patdnn-") as folder:
        alone, vm = Path(folder) / "alone.so", Path(folder) / "vm.so"
        library = build(model)
        library.export_standalone(alone, header=False)
        library.export_library(vm)
        runtime = {"TVM_USE_RUNTIME_LIB": "1"}
        ours = _OURS.replace("load(path)", "load(path, num_threads=threads)")
        ways = {
            "standalone": _Way(path=alone, load=ours, environment={}),
            "TVM": _Way(path=vm, load=_OURS, environment={}),
            "TVM's runtime alone": _Way(path=vm, load=_OURS, environment=runtime),
            "onnxruntime": _Way(path=model, load=_ONNXRUNTIME, environment={}),
        }
        measured: dict[str, list[dict]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, way in ways.items():
                measured[name].append(_measure(way, threads, repeats))
        return [_row(name, threads, ways[name].path, runs) for name, runs in measured.items()]


def _measure(way: _Way, threads: int, repeats: int) -> dict:
    environment = {**os.environ, "TVM_NUM_THREADS": str(threads), **way.environment}
    words = [str(way.path), str(threads), str(repeats)]
    line = [sys.executable, "-c", _CHILD.format(load=way.load), *words]
    done = subprocess.run(line, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise BenchError(f"{way.path.name}: a process that runs it fails: {said}; run it alone")
    return json.loads(done.stdout)


def _row(way: str, threads: int, path: Path, runs: Sequence[dict]) -> DeploymentRow:
    return DeploymentRow(
        way=way,
        threads=threads,
        load_s=statistics.median(run["load_s"] for run in runs),
        first_s=statistics.median(run["first_s"] for run in runs),
        median_s=statistics.median(second for run in runs for second in run["times_s"]),
        peak_kib=max(run["peak_kib"] for run in runs),
        file_bytes=path.stat().st_size,
    )


def deployment_table(rows: Sequence[DeploymentRow]) -> str:
    """The rows as a table in Markdown."""
    lines = ["| | file, KiB | load, ms | first run, ms | run, ms | peak memory, MB |"]
    lines.append("|---|---|---|---|---|---|")
    for row in rows:
        numbers = [f"{row.file_bytes / 1024:,.0f}", f"{row.load_s * 1e3:,.1f}"]
        numbers += [f"{row.first_s * 1e3:.2f}", f"{row.median_s * 1e3:.2f}"]
        lines.append(f"| {row.way} | {' | '.join(numbers)} | {row.peak_kib / 1024:.0f} |")
    return "\n".join(lines)


def _main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("model", type=Path, metavar="MODEL.onnx")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="ROWS.jsonl")
    args = parser.parse_args()
    rows = deployment_rows(args.model, args.threads)
    if args.json:
        args.json.write_text("".join(json.dumps(asdict(row)) + "\n" for row in rows))
    print(deployment_table(rows))


if __name__ == "__main__":
    _main()
