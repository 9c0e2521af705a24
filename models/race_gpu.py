"""Races networks on a CUDA device against torch; rows of JSON.

``python -m models.race_gpu FOLDER -o rows.jsonl``, where FOLDER holds what
``tvm_patdnn.bench.gpu.build_networks`` wrote, for a batch of 1 and of 8, on a machine with cupy
and torch; TVM is not needed there.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tvm_patdnn.bench.gpu.cupy_device import CupyDevice
from tvm_patdnn.bench.gpu.device import torchs_machine
from tvm_patdnn.bench.gpu.network_program import PROGRAM
from tvm_patdnn.bench.gpu.race_networks import ours, torch_rows

__all__ = ["main"]

NETWORKS = {
    "vgg16": "models.vgg:vgg16",
    "resnet18": "models.resnet:resnet18",
    "resnet50": "models.resnet:resnet50",
    "mobilenet_v2": "models.mobilenet:mobilenet_v2",
}
SIZE = 224
BATCHES = (1, 8)  # which the networks are built for, too
TORCH = "torch"

Row = dict[str, Any]


def main(words: Sequence[str] | None = None) -> None:
    """Races what is asked for; each failure ends a process, and the next one goes on behind it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="ROWS.jsonl")
    parser.add_argument("--batch", type=int, action="append", metavar="N")
    parser.add_argument("--network", action="append", choices=sorted(NETWORKS))
    parser.add_argument("--only", nargs="+", help=argparse.SUPPRESS)  # what a process is to do
    args = parser.parse_args(words)
    names, batches = args.network or list(NETWORKS), args.batch or BATCHES
    torch = [f"{TORCH}:{name}:{batch}" for name in names for batch in batches]
    if args.only:
        sys.exit(_run(args.only, args.output))
    left = [*sorted(str(found.parent) for found in args.folder.rglob(PROGRAM)), *torch]
    while left:
        line = [sys.executable, "-m", "models.race_gpu", str(args.folder), "-o", str(args.output)]
        done = subprocess.run([*line, "--only", *left], check=False).returncode
        begun = args.output.with_suffix(".begun")
        behind = left.index(begun.read_text()) + 1 if done and begun.exists() else len(left)
        left = left[behind:]


def _run(works: Sequence[str], output: Path) -> int:
    """Does one after the other, up to the first that fails; returns the exit code."""
    for work in works:
        output.with_suffix(".begun").write_text(work)
        try:
            for row in _rows(work):
                _write(row, output)
        except Exception as error:  # any: the time on a device is short, and the rest still counts
            _write({"work": work, "failed": f"{type(error).__name__}: {error}"}, output)
            return 1
    return 0


def _rows(work: str) -> Iterator[Row]:
    if not work.startswith(f"{TORCH}:"):
        yield from ours(Path(work), CupyDevice())
        return
    _, name, batch = work.split(":")
    yield from torch_rows(name, _network(name), (int(batch), 3, SIZE, SIZE))


def _network(name: str) -> Any:
    module, _, factory = NETWORKS[name].partition(":")
    network = getattr(importlib.import_module(module), factory)()
    return network.features if name == "vgg16" else network  # ours is cut there, too


def _write(row: Row, output: Path) -> None:
    line = json.dumps(torchs_machine(importlib.import_module("torch")) | row)
    print(line, flush=True)
    with output.open("a") as file:
        file.write(f"{line}\n")


if __name__ == "__main__":
    main()
