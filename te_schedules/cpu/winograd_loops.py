"""The loops of a convolution by transforms: of inputs, products, and transforms of sums."""

from __future__ import annotations

from tvm.tirx.script import builder as T

from te_schedules.cpu.winograd_binding import WinogradBinding
from te_schedules.cpu.winograd_inputs import transform_inputs
from te_schedules.cpu.winograd_products import multiply, multiply_and_store
from te_schedules.cpu.winograd_sums import transform_sums

__all__ = ["emit_winograd"]


def emit_winograd(conv: WinogradBinding) -> None:
    """Emits a whole kernel, its threads included."""
    chunks, blocks = conv.schedule.chunks, conv.blocks.count
    with T.parallel(conv.geometry.batch * blocks * chunks) as task:
        chunk, n = task % chunks, task // (chunks * blocks)
        unit = conv.blocks.start(task // chunks % blocks)
        first, last = conv.groups_of(chunk)
        packed = conv.allocate_packed()
        transform_inputs(conv, packed, n, unit)
        if conv.products == 1:
            multiply_and_store(conv, packed, n, unit, first, last)
            return
        sums = conv.allocate_sums()
        multiply(conv, packed, sums, first, last)
        transform_sums(conv, sums, n, unit, first, last)
