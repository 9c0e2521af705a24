"""What a convolution kernel will load and multiply, from its plan alone."""

from __future__ import annotations

from te_schedules.cpu.conv2d_geometry import Conv2dGeometry
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule, Taps
from te_schedules.cpu.count_loads import LoadCounts
from te_schedules.cpu.tile_reads import tile_reads
from te_schedules.cpu.tiling import Tiling, tile_parts
from tvm_patdnn.sparse.fkw import FKW

__all__ = ["expected_loads"]


def expected_loads(geometry: Conv2dGeometry, fkw: FKW, schedule: Conv2dSchedule) -> LoadCounts:
    """Returns what ``count_loads`` counts in the code of the kernel, without generating it."""
    parts = tile_parts(
        Tiling(geometry.out_layout.steps_y, schedule.rows),
        Tiling(geometry.out_layout.steps_x, schedule.vectors),
    )
    outputs = sum(part.tiles * len(part.places) for part in parts)
    inputs = products = 0
    for pattern, entries, kernels in zip(fkw.patterns, fkw.entries, fkw.kernel_counts, strict=True):
        loads = entries * outputs
        if schedule.taps is Taps.CODE:
            reads = (
                tile_reads(pattern, part.places, geometry.stride, geometry.dilation)
                for part in parts
            )
            loads = sum(part.tiles * len(read) for part, read in zip(parts, reads, strict=True))
        inputs += kernels * loads
        products += kernels * fkw.group * entries * outputs
    return LoadCounts(inputs=geometry.batch * inputs, products=geometry.batch * products)
