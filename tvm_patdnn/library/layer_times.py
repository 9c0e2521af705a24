"""Which layer of the report each kernel that was timed belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from tvm_patdnn.layer_report import LayerReport

__all__ = ["OTHERS", "median_by_layer"]

OTHERS = "others"
_CONVOLUTION = "conv2d"  # in the name of each kernel of ours that is a layer of the report

Run = Sequence[tuple[str, float]]


def median_by_layer(runs: Sequence[Run], layers: Sequence[LayerReport]) -> dict[str, float]:
    """Returns seconds by layer: the median of some runs.

    Args:
        runs: name and seconds of each kernel, in the order of computation.
        layers: in the same order.

    Returns:
        By the names of the layers, and those of kernels where they are not as many as the layers.
    """
    names = _names(layers)
    timed = [[each for each in run if _CONVOLUTION in each[0]] for run in runs]
    if any(len(each) != len(names) for each in timed):
        names = [f"{number}: {name}" for number, (name, _) in enumerate(timed[0], 1)]
    found = {name: median(run[number][1] for run in timed) for number, name in enumerate(names)}
    others = [sum(spent for name, spent in run if _CONVOLUTION not in name) for run in runs]
    return {**found, OTHERS: median(others)}


def _names(layers: Sequence[LayerReport]) -> list[str]:
    names: list[str] = []
    for layer in layers:
        names.append(f"{names.pop()} + {layer.name}" if layer.joined else layer.name)
    return names
