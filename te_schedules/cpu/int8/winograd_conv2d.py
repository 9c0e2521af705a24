"""Convolution of bytes by Winograd's transforms, in 16 and 32 bits, exact.

A thread transforms what some rows of tiles read of all channels, multiplies what is at the same
place of each with the transformed weights, place by place, and transforms the sums back. A vector
has what is at one place of neighbouring tiles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tvm.tirx import Buffer, PrimFunc
from tvm.tirx.script import builder as T

from te_schedules.cpu.int8.layer_frame import flat, layer_frame
from te_schedules.cpu.int8.winograd_inputs import TileInputs
from te_schedules.cpu.int8.winograd_kernel import TileConv2d
from te_schedules.cpu.int8.winograd_outputs import TileOutputs
from te_schedules.cpu.int8.winograd_products import multiply
from te_schedules.cpu.vector_code import prim_func

__all__ = ["winograd_conv2d"]


def winograd_conv2d(kernel: TileConv2d) -> PrimFunc:
    """Generates the kernel (data, *constants, residual if there is one, output)."""

    def emit(
        data: Buffer, arrays: Mapping[str, Buffer], other: Buffer | None, output: Buffer
    ) -> None:
        _Emission(kernel, data, arrays, other, output).emit()

    return prim_func(*layer_frame(kernel.layer, kernel.constants, emit, rows=True))


@dataclass(frozen=True, eq=False)
class _Emission:
    """Emits the code of a kernel, given its buffers."""

    kernel: TileConv2d
    data: Buffer
    arrays: Mapping[str, Buffer]
    other: Buffer | None
    output: Buffer

    def emit(self) -> None:
        """Emits all of it."""
        kernel, chunks = self.kernel, self.kernel.schedule.chunks
        weight = flat(self.arrays["weight"])
        with T.parallel(kernel.layer.in_shape[0] * kernel.blocks * chunks) as task:
            chunk, block = task % chunks, task // chunks % kernel.blocks
            image, first = task // (chunks * kernel.blocks), block * kernel.block_height
            begin = chunk * kernel.groups // chunks
            count = (chunk + 1) * kernel.groups // chunks - begin
            inputs = T.alloc_buffer((kernel.places * kernel.place_words,), "int16")
            TileInputs.allocate(kernel).emit(inputs, self.data, image, first)
            sums = T.alloc_buffer((kernel.places * kernel.place_sums,), "int32")
            multiply(kernel, inputs, weight, sums, begin, count)
            outputs = self._outputs()
            size, filters = kernel.schedule.group, kernel.layer.out_shape[1]
            with T.serial(count) as i, T.serial(size) as f:
                number = T.min((begin + i) * size, filters - size) + f
                outputs.emit(sums, i * size + f, number, image, first)

    def _outputs(self) -> TileOutputs:
        return TileOutputs(
            conv=self.kernel,
            staged=TileOutputs.stage(self.kernel),
            bias=self.arrays["bias"],
            scale=self.arrays["scale"],
            other=self.other,
            output=self.output,
        )
