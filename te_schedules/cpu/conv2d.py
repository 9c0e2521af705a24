"""Convolution over kernels stored as FKW, in the lane-blocked layout.

One generator serves every convolution: pattern-pruned (a short list of kernels for each
filter and pattern), connectivity-pruned 1x1 (patterns of one tap), dense (one pattern with
all taps, its list shared by a group of filters) and depthwise (one kernel for each filter).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property

import numpy as np
from tvm.tirx import Buffer, PrimFunc

from te_schedules.cpu.conv2d_binding import Conv2dBinding, Products
from te_schedules.cpu.conv2d_geometry import Conv2dGeometry
from te_schedules.cpu.conv2d_loops import emit_conv2d
from te_schedules.cpu.conv2d_products import PatternProducts
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule
from te_schedules.cpu.input_places import InputPlaces
from te_schedules.cpu.tile_store import OperandSpec, TileStore, bind_operands, operand_params
from te_schedules.cpu.tiling import Tiling
from te_schedules.cpu.vector_code import Param, VectorCode, prim_func
from te_schedules.epilogue import Step
from tvm_patdnn.sparse.packed_kernels import PackedKernels

__all__ = ["Conv2d", "conv2d"]


@dataclass(frozen=True, kw_only=True)
class Conv2d:
    """All that determines the kernel of a convolution.

    Attributes:
        fkw: the stored kernels; their arrays are arguments, of which only the sizes are used.
        steps: the epilogue.
        products: the innermost code.

    Raises:
        ValueError: ``products`` does not compute kernels that are stored and scheduled like this.
    """

    geometry: Conv2dGeometry
    fkw: PackedKernels
    schedule: Conv2dSchedule
    steps: Sequence[Step[OperandSpec]] = ()
    products: Products = field(default_factory=PatternProducts)

    def __post_init__(self) -> None:
        self.products.check(self.fkw, self.schedule)

    @property
    def way(self) -> str:
        """How it knows where its taps are, for people."""
        return self.products.taps

    def generate(self) -> PrimFunc:
        """Generates the kernel."""
        return conv2d(self)

    @cached_property
    def constants(self) -> dict[str, np.ndarray]:
        """The constants that its kernel takes, by name and in order."""
        fkw = self.fkw
        places = InputPlaces.of(self.geometry, fkw.patterns, self.schedule)
        return {
            "reorder": fkw.reorder,
            "offset": fkw.offset,
            "weight_offset": fkw.weight_offset,
            "stride": fkw.stride,
            "input": places.numbers(fkw.index),
            "weight": fkw.weight,
            "chunk": fkw.balanced_chunks(self.schedule.chunks),
            **self.products.constants(self.geometry, fkw),
        }

    @property
    def code_key(self) -> Hashable:
        """What the code depends on: kernels of one key have the same code, whatever they store."""
        fkw, chunks = self.fkw, self.schedule.chunks
        waiting = fkw.bands > 1 and int(np.diff(fkw.balanced_chunks(chunks)).max())
        stored = (type(fkw), fkw.patterns, fkw.group, fkw.bands, waiting, tuple(self.params))
        others = {each.name: getattr(self, each.name) for each in fields(self)}
        others |= {"fkw": stored, "steps": tuple(self.steps)}
        return tuple(others.values())

    @property
    def params(self) -> list[Param]:
        """The parameters for the constants and the operands."""
        arrays = [(name, each.shape, str(each.dtype)) for name, each in self.constants.items()]
        return [*arrays, *operand_params(self.steps, self.geometry.out_channels)]

    def bind(self, data: Buffer, buffers: Sequence[Buffer], output: Buffer) -> Conv2dBinding:
        """Returns what the kernel's code refers to.

        Args:
            data: the input, in its layout.
            buffers: of ``params``.
            output: the output, in its layout.
        """
        layout, extra = self.geometry.out_layout, buffers[len(self.constants) :]
        store = TileStore(
            code=VectorCode(layout.lanes),
            output=output,
            layout=layout,
            rows=Tiling(layout.vectors_y, self.schedule.rows),
            columns=Tiling(layout.vectors_x, self.schedule.vectors),
            steps=bind_operands(self.steps, extra),
        )
        return Conv2dBinding(
            geometry=self.geometry,
            fkw=self.fkw,
            schedule=self.schedule,
            data=data,
            stored=dict(zip(self.constants, buffers, strict=False)),
            store=store,
            products=self.products,
        )


def conv2d(kernel: Conv2d) -> PrimFunc:
    """Generates the kernel (input, *constants, *operands, output)."""
    params = [
        ("data", kernel.geometry.in_shape, "float32"),
        *kernel.params,
        ("output", kernel.geometry.out_shape, "float32"),
    ]

    def body(data: Buffer, *buffers: Buffer) -> None:
        emit_conv2d(kernel.bind(data, buffers[:-1], buffers[-1]))

    return prim_func(params, body)
