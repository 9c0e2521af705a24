"""What a learned cost model knows of an int8 layer and its CPU, whatever kernel computes it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from te_schedules.cpu.int8.layer import Int8Layer
from tvm_patdnn.machine.cpu_model import CpuModel

__all__ = ["layer_sizes", "logarithms"]


def layer_sizes(layer: Int8Layer, cpu: CpuModel, *, tasks: int, held: int) -> dict[str, float]:
    """Returns the features that are sizes.

    Args:
        tasks: that threads share out.
        held: bytes of what a task multiplies.
    """
    return {
        "tasks": tasks,
        "idle": -(-tasks // cpu.num_cores) * cpu.num_cores / tasks,
        "in channels": layer.in_shape[1],
        "filters": layer.out_shape[1],
        "pixels": layer.out_pixels,
        "window": math.prod(layer.window.taps),
        "stride": math.prod(layer.window.stride),
        "groups": layer.groups,
        "strip by L1": held / cpu.l1_room,
        "strip by L2": held / cpu.l2_room,
        "threads": cpu.num_cores,
    }


def logarithms(sizes: Mapping[str, float]) -> dict[str, float]:
    """Returns base-2 logarithms, so that a factor is the same difference everywhere."""
    return {name: round(math.log2(1 + value), 4) for name, value in sizes.items()}
