"""The ways to compute a convolution of bytes: their generators, and which is the fastest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from tvm.tirx import PrimFunc

from te_schedules.cpu.int8.choose_strips import choose_strips
from te_schedules.cpu.int8.layer import Int8Layer
from te_schedules.cpu.int8.strip_conv2d import strip_conv2d
from te_schedules.cpu.int8.strip_cost import strip_cost
from te_schedules.cpu.int8.strip_kernel import StripConv2d
from te_schedules.cpu.int8.winograd_conv2d import winograd_conv2d
from te_schedules.cpu.int8.winograd_cost import tile_cost
from te_schedules.cpu.int8.winograd_kernel import TileConv2d
from te_schedules.cpu.int8.winograd_space import choose_tiles
from tvm_patdnn.machine.cpu_model import CpuModel

__all__ = ["GENERATORS", "AnyConv2d", "choose_conv2d", "conv2d_cost"]

AnyConv2d: TypeAlias = StripConv2d | TileConv2d

GENERATORS: Mapping[type, Callable[..., PrimFunc]] = {
    StripConv2d: strip_conv2d,
    TileConv2d: winograd_conv2d,
}

CLEARLY = 1.1  # transforms are to save so much, as their weights take up to 8 times the room


def choose_conv2d(
    layer: Int8Layer, cpu: CpuModel, *, sparse: bool = True, transforms: bool = True
) -> AnyConv2d:
    """Returns the kernel that should be the fastest.

    Args:
        sparse: False computes a pruned layer as if it were dense.
        transforms: whether Winograd's may be used.
    """
    strips = choose_strips(layer, cpu, sparse)
    tiles = choose_tiles(layer, cpu) if transforms else None
    if tiles is None or CLEARLY * tile_cost(tiles, cpu) > strip_cost(strips, cpu):
        return strips
    return tiles


def conv2d_cost(kernel: AnyConv2d, cpu: CpuModel) -> float:
    """Returns its operations, comparable with those of other kernels."""
    return tile_cost(kernel, cpu) if isinstance(kernel, TileConv2d) else strip_cost(kernel, cpu)
