"""What a learned cost model knows of a configuration that transforms; see ``conv2d_features``."""

from __future__ import annotations

import math

from te_schedules.cost_feature import COST, cost_feature
from te_schedules.cpu.conv2d_configuration import Conv2dConfiguration
from te_schedules.cpu.conv2d_geometry import Conv2dGeometry
from te_schedules.cpu.tiling import Tiling
from te_schedules.cpu.winograd_cost import winograd_cycles, winograd_registers
from te_schedules.cpu.winograd_schedule import WinogradSchedule
from tvm_patdnn.machine.cpu_model import CpuModel

__all__ = ["winograd_features"]


def winograd_features(
    configuration: Conv2dConfiguration, geometry: Conv2dGeometry, cpu: CpuModel
) -> dict[str, float]:
    """Returns the features of a configuration, by names that ``conv2d_features`` has, too.

    The expected cost is in the same cycles, by which both kinds of kernels are ranked together.
    """
    schedule, layout = configuration.schedule, geometry.out_layout
    assert isinstance(schedule, WinogradSchedule)
    rows = Tiling(layout.vectors_y, schedule.rows).count
    columns = Tiling(layout.vectors_x, schedule.vectors).count
    units = Tiling(rows * columns, schedule.together).count
    tasks = geometry.batch * Tiling(units, schedule.units).count * schedule.chunks
    turns = -(-tasks // cpu.num_cores) * cpu.num_cores
    taps = math.prod(geometry.window.taps)
    products = taps * geometry.in_channels * geometry.out_channels * layout.split.vectors
    total = winograd_cycles(geometry, schedule, cpu)
    sizes = {
        "rows": schedule.rows,
        "vectors": schedule.vectors,
        "group": schedule.group,
        "together": schedule.together,
        "units": schedule.units,
        "chunks": schedule.chunks,
        "tasks": tasks,
        "in channels": geometry.in_channels,
        "filters": geometry.out_channels,
        "products": geometry.batch * products,
        "cycles of a product": total / products,
        "registers": winograd_registers(schedule) / cpu.registers,
        "idle": turns / max(1, tasks),
        "lanes": cpu.lanes,
        "threads": cpu.num_cores,
        "L1": cpu.l1_bytes,
        "L2": cpu.l2_bytes,
    }
    found = {name: round(math.log2(1 + value), 4) for name, value in sizes.items()}
    return {**found, COST: cost_feature(total * turns / tasks)}
