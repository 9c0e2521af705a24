"""What a learned cost model knows of a configuration for a GPU."""

from __future__ import annotations

import math

from te_schedules.cost_feature import COST, cost_feature
from te_schedules.gpu.conv2d_configuration import GpuConv2dConfiguration
from te_schedules.gpu.conv2d_cost import GpuLists, busy_warps, estimate, registers, shared_bytes
from te_schedules.gpu.conv2d_geometry import GpuGeometry
from tvm_patdnn.machine.gpu_model import GpuModel

__all__ = ["conv2d_features"]


def conv2d_features(
    configuration: GpuConv2dConfiguration, geometry: GpuGeometry, lists: GpuLists, gpu: GpuModel
) -> dict[str, float]:
    """Returns the features of a configuration, its layer, its stored kernels and its GPU.

    Sizes are base-2 logarithms, so that a factor is the same difference everywhere.
    """
    schedule, kernels = configuration.schedule, sum(lists.counts)
    taps = sum(len(p) * n for p, n in zip(lists.patterns, lists.counts, strict=True))
    down, across = schedule.tiles(geometry.out_size)
    covered = down * across * schedule.lanes * schedule.rows * schedule.columns
    blocks = -(-lists.groups // schedule.block_groups)
    blocks *= geometry.batch * down * across * schedule.splits
    sizes = {
        **{name: getattr(schedule, name) for name in _CHOICES},
        "group": configuration.group,
        "threads": schedule.threads,
        "sums": schedule.rows * schedule.columns * schedule.groups * configuration.group,
        "blocks": blocks,
        "turns": -(-blocks // gpu.multiprocessors),
        "busy warps": busy_warps(geometry, lists, schedule, gpu),
        "registers": registers(lists, geometry.window, schedule, gpu),
        "shared bytes": shared_bytes(geometry, lists, schedule) / gpu.block_shared_bytes,
        "idle lanes": covered / math.prod(geometry.out_size),
        "in channels": geometry.in_channels,
        "filters": geometry.out_channels,
        "plane": math.prod(geometry.out_size),
        "stride": math.prod(geometry.window.stride),
        "taps": math.prod(geometry.window.taps),
        "patterns": len(lists.patterns),
        "kernels of a group": kernels / max(1, lists.groups),
        "taps of a kernel": taps / max(1, kernels),
        "multiprocessors": gpu.multiprocessors,
    }
    # Shifted, as records have no negative numbers.
    found = {name: round(math.log2(1 + value), 4) for name, value in sizes.items()}
    cost = cost_feature(1000 * estimate(geometry, lists, schedule, gpu).micros)
    plain = {"sparse": float(configuration.sparse), "staged": float(schedule.staged)}
    return found | plain | {COST: cost}


_CHOICES = ("lanes_x", "rows", "columns", "warps", "groups", "window", "splits", "resident")
