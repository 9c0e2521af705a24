"""Races networks on a CUDA device against torch; rows of JSON.

``python -m models.race_gpu FOLDER -o rows.jsonl``, where FOLDER is what
``tvm_patdnn.bench.gpu_networks.build_networks`` wrote, on a machine with cupy and torch; TVM is not
needed there.
"""

from __future__ import annotations

import argparse
import importlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tvm_patdnn.bench.gpu_networks.cuda_device import CudaDevice
from tvm_patdnn.bench.gpu_networks.race import ours, torch_rows

__all__ = ["main", "rows"]

NETWORKS = {
    "vgg16": "models.vgg:vgg16",
    "resnet18": "models.resnet:resnet18",
    "resnet50": "models.resnet:resnet50",
    "mobilenet_v2": "models.mobilenet:mobilenet_v2",
}
SIZE = 224


def rows(folder: Path, batches: Sequence[int], names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yields the rows of our networks, then those of torch's; a failure is a row, too."""
    yield from _kept_going({"system": "patdnn"}, lambda: ours(folder, CudaDevice()))
    for name in names:
        for batch in batches:
            facts = {"system": "torch", "network": name, "batch": batch}
            shape = (batch, 3, SIZE, SIZE)
            yield from _kept_going(facts, lambda n=name, s=shape: torch_rows(n, _network(n), s))


def _network(name: str) -> Any:
    module, _, factory = NETWORKS[name].partition(":")
    network = getattr(importlib.import_module(module), factory)()
    return network.features if name == "vgg16" else network  # ours is cut there, too


def _kept_going(facts: dict[str, Any], run: Any) -> Iterator[dict[str, Any]]:
    try:
        yield from run()
    except Exception as error:  # any: the time on a device is short, and the rest still counts
        yield {**facts, "failed": f"{type(error).__name__}: {error}"}


def main(words: Sequence[str] | None = None) -> None:
    """Writes the rows as they come."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="ROWS.jsonl")
    parser.add_argument("--batch", type=int, action="append", metavar="N")
    parser.add_argument("--network", action="append", choices=sorted(NETWORKS))
    args = parser.parse_args(words)
    with args.output.open("a") as file:
        for row in rows(args.folder, args.batch or [1], args.network or list(NETWORKS)):
            line = json.dumps(row)
            print(line, flush=True)
            file.write(f"{line}\n")
            file.flush()


if __name__ == "__main__":
    main()
