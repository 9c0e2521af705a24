"""What a learned cost model knows of a configuration: numbers that compare between layers."""

from __future__ import annotations

import math

from te_schedules.cost_feature import COST, cost_feature
from te_schedules.cpu.conv2d_configuration import Conv2dConfiguration
from te_schedules.cpu.conv2d_cost import KernelLists, channel_bytes, cycles, registers
from te_schedules.cpu.conv2d_geometry import Conv2dGeometry
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule, Hold, Outer
from te_schedules.cpu.conv2d_tuning_space import tasks_of
from tvm_patdnn.machine.cpu_model import CpuModel

__all__ = ["conv2d_features"]

_ORDER = list(Outer)


def conv2d_features(
    configuration: Conv2dConfiguration,
    geometry: Conv2dGeometry,
    lists: KernelLists,
    cpu: CpuModel,
) -> dict[str, float]:
    """Returns the features of a configuration, its layer, its stored kernels and its CPU.

    Sizes are base-2 logarithms, so that a factor is the same difference everywhere. All schedules
    are scored as beside those that copy inputs: what is compared has one scale.
    """
    schedule, layout = configuration.schedule, geometry.out_layout
    assert isinstance(schedule, Conv2dSchedule), "winograd_features has the others"
    band = schedule.band or geometry.in_channels
    of_channel = channel_bytes(geometry, lists.patterns, schedule, cpu)
    kernels = sum(lists.counts)
    places = geometry.batch * layout.vectors_y * layout.vectors_x
    taps = sum(len(p) * n for p, n in zip(lists.patterns, lists.counts, strict=True))
    products = taps * schedule.group * places
    tasks = tasks_of(schedule, geometry)
    turns = -(-tasks // cpu.num_cores) * cpu.num_cores
    total = cycles(geometry, lists, schedule, cpu, beside_copies=True)
    sizes = {
        "rows": schedule.rows,
        "vectors": schedule.vectors,
        "group": schedule.group,
        "sums": schedule.rows * schedule.vectors * schedule.group,
        "band": band,
        "bands": -(-geometry.in_channels // band),
        "chunks": schedule.chunks,
        "tasks": tasks,
        "in channels": geometry.in_channels,
        "filters": geometry.out_channels,
        "places": places,
        "vectors of a row": layout.vectors_x,
        "rows of a plane": layout.vectors_y,
        "stride": geometry.stride[0] * geometry.stride[1],
        "window": math.prod(geometry.window.taps),
        "patterns": len(lists.patterns),
        "kernels of a group": kernels / max(1, lists.groups),
        "kernels of a run": kernels / max(1, lists.groups * len(lists.patterns)),
        "taps of a kernel": taps / max(1, kernels),
        "products": products,
        "inputs of a tile by L1": of_channel * band / cpu.l1_room,
        "inputs of a tile by L2": of_channel * band / cpu.l2_room,
        "all inputs by L2": 4.0 * geometry.in_layout.plane_values * geometry.in_channels
        / cpu.l2_bytes,
        "output by L2": 4.0 * layout.plane_values * geometry.out_channels / cpu.l2_bytes,
        "weights by L1": 4.0 * taps * schedule.group / max(1, lists.groups) / cpu.l1_bytes,
        "cycles of a product": total / max(1, products),
        "registers": registers(schedule, lists.patterns, geometry) / cpu.registers,
        "idle": turns / max(1, tasks),
        "lanes": cpu.lanes,
        "threads": cpu.num_cores,
        "L1": cpu.l1_bytes,
        "L2": cpu.l2_bytes,
    }  # fmt: skip
    plain = {
        "sparse": float(configuration.sparse),
        "copies inputs": float(schedule.copy_inputs),
        "holds inputs": float(schedule.hold is Hold.INPUTS),
        "outer": float(_ORDER.index(schedule.outer)),
        COST: cost_feature(total * turns / tasks),
    }
    # Shifted, as records have no negative numbers.
    return {name: round(math.log2(1 + value), 4) for name, value in sizes.items()} | plain
