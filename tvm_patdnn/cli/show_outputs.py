"""What a run computed: a summary, and a file with all of it."""

from __future__ import annotations

import statistics
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tvm_patdnn.whole_file import write_whole

__all__ = ["describe_outputs", "file_line", "outputs_text", "save_outputs", "stacked"]

_TOP = 5


def describe_outputs(
    outputs: Mapping[str, np.ndarray], latencies: Sequence[float] = ()
) -> dict[str, Any]:
    """Summarises a run for JSON.

    Args:
        latencies: seconds of each repeat; none if it was not measured.
    """
    described: dict[str, Any] = {
        "outputs": {name: _describe(array) for name, array in outputs.items()}
    }
    if latencies:
        described["latency"] = {
            "median_s": statistics.median(latencies),
            "p90_s": float(np.percentile(latencies, 90)),
            "p99_s": float(np.percentile(latencies, 99)),
            "min_s": min(latencies),
            "repeats": len(latencies),
        }
    return described


def outputs_text(described: Mapping[str, Any], classes: Sequence[str] = ()) -> str:
    """Returns what ``describe_outputs`` made as lines for people.

    Args:
        classes: the names of classes, where they are known.
    """
    lines = []
    for name, output in described["outputs"].items():
        low, high = (f"{output[key]:.6g}" for key in ("min", "max"))
        lines.append(f"{name}: {output['dtype']} {output['shape']}, {low} to {high}")
        lines += [
            f"  {_class(index, classes)}: {score:.6g}" for index, score in output.get("top", [])
        ]
    if "latency" in described:
        latency = described["latency"]
        median, p90, p99, best = (
            f"{latency[key] * 1e3:.3f}" for key in ("median_s", "p90_s", "p99_s", "min_s")
        )
        lines.append(
            f"latency: {median} ms median, {p90} p90, {p99} p99, {best} best of "
            f"{latency['repeats']} runs"
        )
    return "\n".join(lines)


def file_line(name: str, described: Mapping[str, Any], classes: Sequence[str] = ()) -> str:
    """Returns what one file of many gave: its best class, or the range of each output."""
    found = [
        f"{_class(output['top'][0][0], classes)}: {output['top'][0][1]:.6g}"
        if "top" in output
        else f"{key}: {output['min']:.6g} to {output['max']:.6g}"
        for key, output in described["outputs"].items()
    ]
    return f"{name}: {', '.join(found)}"


def stacked(results: Sequence[Mapping[str, np.ndarray]]) -> Mapping[str, np.ndarray]:
    """Returns the outputs of runs, along a new first axis."""
    return {name: np.stack([each[name] for each in results]) for name in results[0]}


def save_outputs(outputs: Mapping[str, np.ndarray], path: Path) -> None:
    """Writes an .npz file, whole or not at all; output names may be any text.

    Raises:
        BuildError: the file cannot be written.
    """
    with write_whole(path) as partial, zipfile.ZipFile(partial, "w") as archive:
        for name, array in outputs.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def _describe(array: np.ndarray) -> dict[str, Any]:
    described: dict[str, Any] = {
        "shape": list(array.shape),
        "dtype": str(array.dtype),
        "min": float(array.min()),
        "max": float(array.max()),
    }
    if _are_class_scores(array):
        scores = array.reshape(-1)
        best = np.argsort(-scores, kind="stable")[:_TOP]
        described["top"] = [[int(index), float(scores[index])] for index in best]
    return described


def _class(index: int, classes: Sequence[str]) -> str:
    return f"class {index} ({classes[index]})" if index < len(classes) else f"class {index}"


def _are_class_scores(array: np.ndarray) -> bool:
    """Tells whether it is one row of numbers: (C,), (1, C) or (1, C, 1, 1)."""
    return 1 < array.size == max(array.shape, default=0) and array.dtype.kind == "f"
