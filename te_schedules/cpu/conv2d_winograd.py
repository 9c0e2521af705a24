"""Convolution by Winograd's minimal filtering, in the lane-blocked layout.

There the inputs of a tile of output vectors are whole vectors, so transforms need no shuffles:
a vector holds the same value of as many tiles as there are lanes. A thread transforms some
tiles of all channels, multiplies what is at the same place of each with the transformed
weights, place by place, and transforms the sums back. A window of one tap is its own transform:
then its inputs are only packed. A window that moves by more than one value is one for each phase
of its taps (``winograd_phases``), whose products have a sum in common.

Rounding: with 4 outputs per axis errors are about 10 times those of the plain sums; with 2,
about as large as those. See ``tests/te_schedules/cpu/test_conv2d_winograd.py`` for the bounds.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from tvm.tirx import Buffer, PrimFunc

from te_schedules.cpu.conv2d_geometry import Conv2dGeometry
from te_schedules.cpu.tile_store import OperandSpec, TileStore, bind_operands, operand_params
from te_schedules.cpu.tiling import Tiling
from te_schedules.cpu.vector_code import Param, VectorCode, prim_func
from te_schedules.cpu.winograd_binding import WinogradBinding
from te_schedules.cpu.winograd_kernels import WinogradKernels
from te_schedules.cpu.winograd_loops import emit_winograd
from te_schedules.cpu.winograd_phases import most_taps
from te_schedules.cpu.winograd_schedule import WinogradSchedule
from te_schedules.cpu.winograd_transform import WinogradTransform
from te_schedules.epilogue import Step

__all__ = ["WinogradConv2d", "conv2d_winograd", "transforms_of"]


@dataclass(frozen=True, kw_only=True)
class WinogradConv2d:
    """All that determines the kernel of a convolution.

    Attributes:
        kernels: the transformed weight; its array is an argument, of which only the sizes are used.
        steps: the epilogue.

    Raises:
        ValueError: the window's taps are apart.
    """

    geometry: Conv2dGeometry
    kernels: WinogradKernels
    schedule: WinogradSchedule
    steps: Sequence[Step[OperandSpec]] = ()

    def __post_init__(self) -> None:
        geometry, schedule = self.geometry, self.schedule
        if schedule.transforms and {*geometry.dilation} != {1}:
            raise ValueError(
                f"dilation {geometry.dilation}: expected 1 where a tile has more than one vector"
            )

    def generate(self) -> PrimFunc:
        """Generates the kernel."""
        return conv2d_winograd(self)

    @property
    def way(self) -> str:
        """How it computes, for people."""
        return "winograd" if self.schedule.transforms else "packed"

    @property
    def rows(self) -> Tiling:
        """The tiles over the rows of vectors of a plane."""
        return Tiling(self.geometry.out_layout.vectors_y, self.schedule.rows)

    @property
    def columns(self) -> Tiling:
        """The tiles over the columns."""
        return Tiling(self.geometry.out_layout.vectors_x, self.schedule.vectors)

    @property
    def tiles(self) -> int:
        """Number of tiles of a plane."""
        return self.rows.count * self.columns.count

    @property
    def constants(self) -> dict[str, np.ndarray]:
        """The constants that its kernel takes, by name and in order."""
        return {"weight": self.kernels.weight}

    @property
    def code_key(self) -> Hashable:
        """What the code depends on: kernels of one key have the same code, whatever they store."""
        stored = (self.kernels.filters, self.kernels.weight.shape)
        return (self.geometry, stored, self.schedule, tuple(self.steps))

    @property
    def params(self) -> list[Param]:
        """The parameters for the constants and the operands."""
        arrays = [(name, each.shape, str(each.dtype)) for name, each in self.constants.items()]
        return [*arrays, *operand_params(self.steps, self.geometry.out_channels)]

    def bind(self, data: Buffer, buffers: Sequence[Buffer], output: Buffer) -> WinogradBinding:
        """Returns what the kernel's code refers to; see ``Conv2d.bind``."""
        layout, extra = self.geometry.out_layout, buffers[len(self.constants) :]
        y, x = transforms_of(self.geometry, self.schedule)
        store = TileStore(
            code=VectorCode(layout.lanes),
            output=output,
            layout=layout,
            rows=self.rows,
            columns=self.columns,
            steps=bind_operands(self.steps, extra),
        )
        return WinogradBinding(
            geometry=self.geometry,
            kernels=self.kernels,
            schedule=self.schedule,
            y=y,
            x=x,
            data=data,
            weight=buffers[0],
            store=store,
        )


def transforms_of(
    geometry: Conv2dGeometry, schedule: WinogradSchedule
) -> tuple[WinogradTransform, WinogradTransform]:
    """Returns the transforms of the rows and of the columns."""
    taps = most_taps(geometry.window.taps, geometry.stride)
    return WinogradTransform(schedule.rows, taps[0]), WinogradTransform(schedule.vectors, taps[1])


def conv2d_winograd(kernel: WinogradConv2d) -> PrimFunc:
    """Generates the kernel (input, weight, *operands, output)."""
    params = [
        ("data", kernel.geometry.in_shape, "float32"),
        *kernel.params,
        ("output", kernel.geometry.out_shape, "float32"),
    ]

    def body(data: Buffer, *buffers: Buffer) -> None:
        emit_winograd(kernel.bind(data, buffers[:-1], buffers[-1]))

    return prim_func(params, body)
