"""Compares networks that ``write_network`` wrote with torch, on one CUDA device."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from tvm_patdnn.bench.gpu.cupy_device import CupyDevice
from tvm_patdnn.bench.gpu.network_program import NetworkProgram

__all__ = ["EXPECTED", "check", "made_inputs", "ours", "torch_rows"]

EXPECTED = "expected.npz"  # what ONNX Runtime makes of ``made_inputs``, by output

Row = dict[str, Any]

WAYS = (  # storage, whether fp32 may be TF32, order in memory
    ("float32", False, "contiguous_format"),
    ("float32", False, "channels_last"),
    ("float32", True, "channels_last"),
    ("float16", True, "channels_last"),
)


def ours(folder: Path, device: CupyDevice) -> Iterator[Row]:
    """Yields a row for each way to launch the network of a folder, checked before it is timed."""
    program = NetworkProgram(folder, device)
    row = {key: program.facts[key] for key in ("network", "variant", "batch", "storage")}
    row |= {"system": "patdnn", "error": check(program, folder / EXPECTED)}
    yield {**row, "launch": "one by one", "us": 1e6 * device.seconds(program.launch)}
    graph = device.captured(program.launch)
    yield {**row, "launch": "graph", "us": 1e6 * device.seconds(graph)}


def check(program: NetworkProgram, expected: Path) -> float:
    """Returns the largest difference from what is expected, over the largest value."""
    arrays = np.load(expected)
    program.give(made_inputs({t["name"]: t["shape"] for t in program.facts["inputs"]}))
    program.launch()
    return max(_error(value, arrays[name]) for name, value in program.take().items())


def made_inputs(shapes: Mapping[str, Sequence[int]]) -> dict[str, np.ndarray]:
    """Returns the float32 inputs for which outputs are expected, the same everywhere."""
    random = np.random.default_rng(0)
    return {name: random.standard_normal(shape, np.float32) for name, shape in shapes.items()}


def _error(value: np.ndarray, expected: np.ndarray) -> float:
    return float(np.abs(value - expected).max() / np.abs(expected).max())


def torch_rows(name: str, network: Any, shape: tuple[int, ...]) -> Iterator[Row]:
    """Yields a row for each way in which torch computes a network, in graphs.

    Args:
        network: a torch module; it stays in the last of these ways.
        shape: (n, c, height, width) of its input.
    """
    torch: Any = importlib.import_module("torch")
    torch.backends.cudnn.benchmark = True
    for storage, tf32, layout in WAYS:
        torch.backends.cudnn.allow_tf32 = tf32
        torch.backends.cuda.matmul.allow_tf32 = tf32
        dtype = getattr(torch, storage)
        form = {"memory_format": getattr(torch, layout)}
        made = network.to("cuda", dtype).to(**form).eval()
        data = torch.randn(shape, device="cuda", dtype=dtype).to(**form)
        row = {"network": name, "batch": shape[0], "storage": storage, "system": "torch"}
        row |= {"variant": "dense", "tf32": tf32, "layout": layout, "launch": "graph"}
        yield {**row, "us": 1e6 * _seconds(torch, _graph(torch, made, data))}


def _graph(torch: Any, network: Any, data: Any) -> Callable[[], None]:
    stream = torch.cuda.Stream()
    with torch.no_grad(), torch.cuda.stream(stream):
        for _ in range(3):  # chooses algorithms
            network(data)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.no_grad(), torch.cuda.graph(graph):
        network(data)
    replay: Callable[[], None] = graph.replay
    return replay


def _seconds(torch: Any, launch: Callable[[], None], rounds: int = 7, runs: int = 20) -> float:
    times = []
    for _ in range(rounds + 1):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        for _ in range(runs):
            launch()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end) / 1e3 / runs)
    return median(times[1:])
