"""What a convolution kernel will load and multiply, from its plan alone."""

from __future__ import annotations

from te_schedules.cpu.conv2d import Conv2d
from te_schedules.cpu.count_loads import LoadCounts
from te_schedules.cpu.tiling import Tiling, tile_parts

__all__ = ["expected_loads"]


def expected_loads(kernel: Conv2d) -> LoadCounts:
    """Returns what ``count_loads`` counts in the code of the kernel, without generating it."""
    geometry, fkw, layout = kernel.geometry, kernel.fkw, kernel.geometry.out_layout
    parts = tile_parts(
        Tiling(layout.vectors_y, kernel.schedule.rows),
        Tiling(layout.vectors_x, kernel.schedule.vectors),
    )
    outputs = sum(part.tiles * len(part.places) for part in parts)
    inputs = products = 0
    for p, (entries, kernels) in enumerate(zip(fkw.entries, fkw.kernel_counts, strict=True)):
        loads = (
            part.tiles * kernel.products.loads(geometry, fkw, p, part.places) for part in parts
        )
        inputs += kernels * sum(loads)
        products += kernels * fkw.group * entries * outputs
    return LoadCounts(inputs=geometry.batch * inputs, products=geometry.batch * products)
