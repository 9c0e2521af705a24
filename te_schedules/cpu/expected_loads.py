"""What a convolution kernel will load and multiply, from its plan alone."""

from __future__ import annotations

from dataclasses import dataclass

from te_schedules.cpu.conv2d import Conv2d
from te_schedules.cpu.conv2d_winograd import WinogradConv2d
from te_schedules.cpu.tiling import Tiling, tile_parts
from te_schedules.cpu.winograd_phases import phases

__all__ = ["LoadCounts", "expected_loads"]


@dataclass(frozen=True, kw_only=True)
class LoadCounts:
    """What a kernel does in one call, in vectors.

    Attributes:
        inputs: vectors loaded from the first argument, the activations.
        products: vectors multiplied by a broadcast weight and added.
    """

    inputs: int
    products: int

    def __add__(self, other: LoadCounts) -> LoadCounts:
        return LoadCounts(
            inputs=self.inputs + other.inputs, products=self.products + other.products
        )

    def __mul__(self, times: int) -> LoadCounts:
        return LoadCounts(inputs=self.inputs * times, products=self.products * times)


def expected_loads(kernel: Conv2d | WinogradConv2d) -> LoadCounts:
    """Returns what the code of the kernel will do, without generating it."""
    return _of_lists(kernel) if isinstance(kernel, Conv2d) else _of_transforms(kernel)


def _of_transforms(kernel: WinogradConv2d) -> LoadCounts:
    geometry, kernels, schedule = kernel.geometry, kernel.kernels, kernel.schedule
    units = Tiling(kernel.tiles, schedule.together).count
    tiles = Tiling(units, schedule.units).count * schedule.units * schedule.together
    window, tiles = geometry.window, geometry.batch * tiles
    of_channel = sum(
        (schedule.rows + phase.taps[0] - 1) * (schedule.vectors + phase.taps[1] - 1)
        for phase in phases(window.taps, window.stride)
    )
    filters, places = kernels.groups * kernels.group, len(kernels.weight)
    return LoadCounts(
        inputs=tiles * of_channel * geometry.in_channels * schedule.chunks,
        products=tiles * places * kernels.channels * filters,
    )


def _of_lists(kernel: Conv2d) -> LoadCounts:
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
