"""Races our kernels on a GPU; ``prepare`` where TVM is, ``race`` where the GPU is.

python -m tvm_patdnn.bench.gpu prepare FOLDER --arch sm_90
python -m tvm_patdnn.bench.gpu race FOLDER --rows rows.jsonl
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from tvm_patdnn.bench.gpu.layer_case import Layer, LayerCase


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tvm_patdnn.bench.gpu", description=__doc__)
    parser.add_argument("command", choices=["prepare", "race"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--arch", default="sm_90", help="of the GPU, as nvcc names it")
    parser.add_argument("--rows", type=Path, default=Path("gpu-rows.jsonl"))
    parser.add_argument("--seconds", type=float, default=280, help="begin no case after these")
    given = parser.parse_args(arguments)
    return _prepare(given) if given.command == "prepare" else _race(given)


def _prepare(given: argparse.Namespace) -> int:
    from tvm_patdnn.bench.gpu.write_bundle import write_bundle
    from tvm_patdnn.machine.targets import resolve_target

    target = resolve_target(f"cuda -arch={given.arch}")
    cases = write_bundle(given.folder, target, progress=lambda text: print(text, file=sys.stderr))
    print(f"{given.folder}: {len(cases)} kernels")
    return 0


def _race(given: argparse.Namespace) -> int:
    import torch

    from tvm_patdnn.bench.gpu.device import CudaDevice
    from tvm_patdnn.bench.gpu.race_layers import LayerRace

    began = time.monotonic()
    device = CudaDevice()
    race = LayerRace(device, given.folder, torch)
    lines = (given.folder / "cases.jsonl").read_text().splitlines()
    cases = [LayerCase.from_json(json.loads(line)) for line in lines]
    machine = {
        "gpu": device.name,
        "torch": torch.__version__,
        "cudnn": torch.backends.cudnn.version(),
    }
    with given.rows.open("a") as file:
        for key in dict.fromkeys((case.batch, case.layer) for case in cases):
            rows = race.torchs(key[1], key[0])
            mine = race.ours([case for case in cases if (case.batch, case.layer) == key])
            for row in (*rows, *mine):
                file.write(json.dumps(machine | row) + "\n")
                file.flush()
            _print(key[1], key[0])
            if time.monotonic() - began > given.seconds:
                print("out of time", flush=True)
                return 1
    print(f"done in {time.monotonic() - began:.0f} s", flush=True)
    return 0


def _print(layer: Layer, batch: int) -> None:
    print(f"{layer.name} x{batch}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
