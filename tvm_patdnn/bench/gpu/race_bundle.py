"""Races all cases of a bundle on the GPU of this machine, and writes rows as it goes.

What has a row is not raced again, so a race can be ended and goes on where it was. A kernel that
reads where nothing is makes the GPU useless for its process: then the race goes on in a new one.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tvm_patdnn.bench.gpu.device import CudaDevice, torchs_machine
from tvm_patdnn.bench.gpu.layer_case import LayerCase
from tvm_patdnn.bench.gpu.race_layers import LayerRace

__all__ = ["missing_rows", "race_bundle"]

Row = dict[str, Any]


def race_bundle(folder: Path, rows: Path, seconds: float) -> int:
    """Returns 0 when all is raced, 1 when the time was over before.

    Args:
        rows: a file to which rows are appended, one JSON object a line.
        seconds: no layer is begun after these.
    """
    import torch

    began = time.monotonic()
    device = CudaDevice()
    race = LayerRace(device, folder, torch)
    machine = torchs_machine(torch) | {"gpu": device.name}
    lines = (folder / "cases.jsonl").read_text().splitlines()
    cases = [LayerCase.from_json(json.loads(line)) for line in lines]
    for row in missing_rows(race, cases, _rows(rows)):
        with rows.open("a") as file:
            file.write(json.dumps(machine | row) + "\n")
        if "us" in row:
            print(f"{row['layer']} x{row['batch']} {row['system']}: {row['us']:.1f} us", flush=True)
        elif not device.works():
            os.execv(sys.executable, [sys.executable, *_same_command(seconds, began)])
        if time.monotonic() - began > seconds:
            print(f"out of time after {seconds:.0f} s", flush=True)
            return 1
    print(f"done after {time.monotonic() - began:.0f} s", flush=True)
    return 0


def missing_rows(race: LayerRace, cases: Iterable[LayerCase], rows: Iterable[Row]) -> Iterator[Row]:
    """Yields the rows that are not there yet: of each layer torch's, then ours."""
    done = {(row["layer"], row["batch"], row["system"], row.get("order")) for row in rows}
    kernels = {row.get("kernel") for row in rows}
    layers: dict[tuple[int, Any], list[LayerCase]] = {}
    for case in cases:
        layers.setdefault((case.batch, case.layer), []).append(case)
    for (batch, layer), of_layer in layers.items():
        systems = {system for name, n, system, _ in done if (name, n) == (layer.name, batch)}
        if not any(system.startswith("torch") for system in systems):
            yield from race.torchs(layer, batch)
        yield from race.ours([case for case in of_layer if case.name not in kernels])


def _rows(path: Path) -> list[Row]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


def _same_command(seconds: float, began: float) -> list[str]:
    left = max(1.0, seconds - (time.monotonic() - began))
    return ["-m", "tvm_patdnn.bench.gpu", *sys.argv[1:], "--seconds", f"{left:.0f}"]
