"""What tuning chooses from for a convolution of bytes, and the kernel that a choice becomes.

That is all that the cost model chooses from, and more ways to share out the work. Every point
gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from te_schedules.cpu.int8.choose_strips import GROUPS, products_of, shares_evenly, strips
from te_schedules.cpu.int8.instruction_sets import instructions_for
from te_schedules.cpu.int8.layer import Int8Layer
from te_schedules.cpu.int8.strip_configuration import StripConfiguration, products_name
from te_schedules.cpu.int8.strip_kernel import StripConv2d
from tvm_patdnn.machine.cpu_model import CpuModel

__all__ = ["strip_kernel", "tuning_strips"]

_CHUNKS_PER_CORE = (1, 2, 4)


def tuning_strips(layer: Int8Layer, cpu: CpuModel, *, sparse: bool) -> Iterator[StripConv2d]:
    """Yields the kernels of one layer, each once.

    Args:
        sparse: False computes a pruned layer as if it were dense.
    """
    for kernel in strips(layer, cpu, sparse):
        if kernel.chunks == 1:
            most = min(cpu.num_cores * _CHUNKS_PER_CORE[-1], kernel.groups)
            counts = {min(cpu.num_cores * share, most) for share in _CHUNKS_PER_CORE}
            for chunks in sorted({1, *counts}):
                yield replace(kernel, chunks=chunks)


def strip_kernel(
    configuration: StripConfiguration, layer: Int8Layer, cpu: CpuModel
) -> StripConv2d | None:
    """Returns the kernel that a configuration says; None if the layer has none like that."""
    group, rows = configuration.group, configuration.rows
    if group not in GROUPS or not shares_evenly(layer, group):
        return None
    instructions = instructions_for(cpu)
    for products in products_of(layer, instructions, group, sparse=configuration.sparse):
        most = products.strip.layer.out_shape[2]
        if products_name(products) == configuration.products and rows <= most:
            found = StripConv2d(products=products.with_rows(rows), tile=configuration.tile)
            if configuration.chunks > found.groups or not (found.fits or group * found.tile == 1):
                return None
            return replace(found, chunks=configuration.chunks)
    return None
