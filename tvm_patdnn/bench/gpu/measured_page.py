"""Writes the page of measured layers from the rows of a race."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from tvm_patdnn.bench.gpu.measured_networks import networks_section

__all__ = ["measured_page"]

Row = dict[str, Any]

TORCH = ("torch fp32", "torch tf32", "torch fp16")
OURS = ("ours, blocks of 4", "ours, free")
OUR_DENSE = "ours, dense"

HEAD = """# Speed on a GPU

Networks and single layers, pruned to 8 patterns of 4 and 3.6x connectivity (8.1x in all; 1x1
layers 3.6x), on one GPU, against torch with cuDNN on the dense ones. Written by `python -m
tvm_patdnn.bench.gpu page ROWS.jsonl --network-rows ROWS.jsonl` from the rows in
`docs/benchmarks/`.

Microseconds, medians of replays of CUDA graphs, so that no time of the CPU is in them; inputs are
the same in all calls and may stay in the second-level cache, for torch as for us. Ours are
float32 throughout, and every kernel was first compared with torch in float64. In TF32 and FP16
torch uses the tensor cores, which compute with fewer bits; they skip no pattern.

For layers (VGG-16's, 3x3, stride 1) torch is the convolution with bias, the faster of both orders
of channels, with `cudnn.benchmark`; ours have bias and ReLU. *Chosen* is the schedule that the
cost model took, *best* the fastest of those that were tried. The model was calibrated by a first
race of these layers at batch 1, so that it knows them.

What has batch 1 was measured with kernels of which nvcc knows how many blocks a multiprocessor
shall have room for. Rows of batch 8 are older: what they took before it was told."""

AGAIN = """## To race again

Where TVM and nvcc are, for the GPU's architecture:

```sh
python -m tvm_patdnn.bench.gpu prepare LAYERS --arch sm_90
python -m tvm_patdnn.bench.gpu.build_networks NET.onnx NET-blocks.onnx -o NETWORKS --arch sm_90
```

Where the GPU is, with torch and cupy, and this package but no TVM; batches of 1 and of 8:

```sh
python -m tvm_patdnn.bench.gpu race LAYERS --rows layers.jsonl
python -m models.race_gpu NETWORKS -o networks.jsonl
```"""


def measured_page(rows: Iterable[Row], networks: Sequence[Row] = ()) -> str:
    """Returns the page.

    Args:
        rows: of one GPU, as ``race_bundle`` writes them.
        networks: of the same, as ``models.race_gpu`` writes them.
    """
    timed = [row for row in rows if "us" in row]
    first = timed[0]
    machine = f"GPU: {first['gpu']}; torch {first['torch']}, cuDNN {first['cudnn']}."
    batches = sorted({row["batch"] for row in timed})
    sections = [_section(timed, batch) for batch in batches]
    whole = [networks_section(networks, n) for n in sorted({row["batch"] for row in networks})]
    return "\n\n".join([HEAD, machine, *whole, *sections, AGAIN]) + "\n"


def _section(rows: Sequence[Row], batch: int) -> str:
    of_batch = [row for row in rows if row["batch"] == batch and not _is_half(row)]
    layers = sorted({(row["layer"], row["shape"]) for row in of_batch})
    lines = [
        f"## Layers, batch {batch}",
        "",
        "| layer | torch fp32 | TF32 | FP16 | blocks of 4, chosen | best | fp32 / chosen | free, "
        "chosen | best | fp32 / chosen |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    ratios: dict[str, list[float]] = {system: [] for system in OURS}
    for name, shape in layers:
        of_layer = [row for row in of_batch if row["layer"] == name]
        torch = [_least(of_layer, system) for system in TORCH]
        cells = [f"{micros:.1f}" for micros in torch]
        for system in OURS:
            chosen = _chosen(of_layer, system)
            ratios[system].append(torch[0] / chosen)
            best = _least(of_layer, system)
            cells += [f"{chosen:.1f}", f"{best:.1f}", f"{torch[0] / chosen:.1f}"]
        lines.append(f"| {name} {shape} | " + " | ".join(cells) + " |")
    means = [f"{_mean(ratios[system]):.1f} for {system.split(', ')[1]}" for system in OURS]
    text = f"Geometric means of fp32 / chosen: {', '.join(means)}."
    text += _halves(rows, batch) + _dense(of_batch)
    return "\n".join([*lines, "", text])


def _halves(rows: Iterable[Row], batch: int) -> str:
    """Says what storing tensors in 16 bits changes, if it was raced."""
    ours = [row for row in rows if row["system"] == OURS[0] and row["batch"] == batch]
    half = [row for row in ours if _is_half(row)]
    if not half:
        return ""
    ratios = []
    for layer in {row["layer"] for row in half}:
        times = [
            min(row["us"] for row in ours if row["layer"] == layer and _is_half(row) == is_half)
            for is_half in (True, False)
        ]
        ratios.append(times[0] / times[1])
    error = max(row["error_of_norm"] for row in half)
    return (
        f" With tensors stored in float16, and sums in float32, blocks of 4 take {min(ratios):.2f} "
        f"to {max(ratios):.2f} of that time; the error is up to {error:.0e} of the norm."
    )


def _dense(rows: Sequence[Row]) -> str:
    """Says what our kernels take where nothing is pruned, if it was raced."""
    layers = {row["layer"] for row in rows if row["system"] == OUR_DENSE}
    if not layers:
        return ""
    of_layers = [[row for row in rows if row["layer"] == layer] for layer in layers]
    ratios = [_least(each, OUR_DENSE) / _least(each, TORCH[0]) for each in of_layers]
    return (
        f" Our own dense kernels take {min(ratios):.2f} to {max(ratios):.2f} of torch's fp32 time, "
        f"{_mean(ratios):.2f} in the geometric mean."
    )


def _is_half(row: Row) -> bool:
    return bool(row["system"].startswith("ours") and row["storage"] == "float16")


def _least(rows: Iterable[Row], system: str) -> float:
    return min(row["us"] for row in rows if row["system"] == system)


def _chosen(rows: Iterable[Row], system: str) -> float:
    ours = [row for row in rows if row["system"] == system]
    return float(min(ours, key=lambda row: row["model"])["us"])


def _mean(values: Sequence[float]) -> float:
    return math.exp(sum(map(math.log, values)) / len(values))
