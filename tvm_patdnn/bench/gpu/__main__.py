"""Races our kernels on a GPU; ``prepare`` where TVM is, ``race`` where the GPU is.

python -m tvm_patdnn.bench.gpu prepare FOLDER --arch sm_90
python -m tvm_patdnn.bench.gpu race FOLDER --rows rows.jsonl
python -m tvm_patdnn.bench.gpu predict docs/gpu-predicted.md --network NAME=FILE.onnx
python -m tvm_patdnn.bench.gpu page rows.jsonl --network-rows networks.jsonl > docs/gpu-speed.md
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tvm_patdnn.bench.gpu", description=__doc__)
    parser.add_argument("command", choices=["prepare", "race", "predict", "page"])
    parser.add_argument("path", type=Path, help="folder of the race, page of predict, or rows")
    parser.add_argument("--arch", default="sm_90", help="of the GPU, as nvcc names it")
    parser.add_argument("--rows", type=Path, default=Path("gpu-rows.jsonl"))
    parser.add_argument("--seconds", type=float, default=280, help="begin no layer after these")
    parser.add_argument(
        "--network", action="append", default=[], help="NAME=FILE.onnx, for predict"
    )
    parser.add_argument("--network-rows", type=Path, help="of models.race_gpu, for page")
    given = parser.parse_args(arguments)
    commands = {"prepare": _prepare, "race": _race, "predict": _predict, "page": _page}
    return commands[given.command](given)


def _prepare(given: argparse.Namespace) -> int:
    from tvm_patdnn.bench.gpu.write_bundle import write_bundle
    from tvm_patdnn.machine.targets import resolve_target

    target = resolve_target(f"cuda -arch={given.arch}")
    cases = write_bundle(given.path, target, progress=lambda text: print(text, file=sys.stderr))
    print(f"{given.path}: {len(cases)} kernels")
    return 0


def _predict(given: argparse.Namespace) -> int:
    from tvm_patdnn.bench.gpu.predicted_networks import networks_section
    from tvm_patdnn.bench.gpu.predicted_page import ARCHES, predicted_page

    networks = dict(each.split("=", 1) for each in given.network)
    sections = [predicted_page(), *([networks_section(networks, ARCHES)] if networks else [])]
    given.path.write_text("\n".join(sections))
    return 0


def _page(given: argparse.Namespace) -> int:
    from tvm_patdnn.bench.gpu.measured_page import measured_page

    rows, networks = (
        [json.loads(line) for line in path.read_text().splitlines()] if path else []
        for path in (given.path, given.network_rows)
    )
    print(measured_page(rows, networks), end="")
    return 0


def _race(given: argparse.Namespace) -> int:
    from tvm_patdnn.bench.gpu.race_bundle import race_bundle

    return race_bundle(given.path, given.rows, given.seconds)


if __name__ == "__main__":
    sys.exit(main())
