"""Maximum, average and global average pooling in the lane-blocked layout."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tvm import tirx
from tvm.tirx import Buffer, PrimFunc
from tvm.tirx.script import builder as T

from te_schedules.cpu.conv2d_geometry import Conv2dGeometry
from te_schedules.cpu.lane_layout import LaneLayout
from te_schedules.cpu.tile_store import TileStore, block_starts
from te_schedules.cpu.tiling import Tiling
from te_schedules.cpu.vector_code import Expr, VectorCode, constant_vector, prim_func

__all__ = ["Pool2dWindow", "global_average_pool", "pool2d"]

LOWEST = -3.4028234663852886e38  # of float32
TILE_VECTORS = 4  # enough independent chains; taps are loads that the L1 cache serves


@dataclass(frozen=True, kw_only=True)
class Pool2dWindow:
    """What is taken of which window.

    Attributes:
        size: height and width.
        padded: whether a window can reach outside the input.
        count_padding: for averages, whether positions outside the input count.
    """

    kind: Literal["max", "average"]
    size: tuple[int, int]
    padded: bool
    count_padding: bool = False


def pool2d(geometry: Conv2dGeometry, window: Pool2dWindow) -> PrimFunc:
    """Generates the kernel (input, output) over windows placed by ``geometry``."""
    in_shape = geometry.in_layout.shape(geometry.batch, geometry.in_channels)
    layout = geometry.out_layout
    out_shape = layout.shape(geometry.batch, geometry.out_channels)

    def body(data: Buffer, output: Buffer) -> None:
        code = VectorCode(layout.lanes)
        store = TileStore(
            code=code,
            output=output,
            layout=layout,
            rows=Tiling(layout.vectors_y, 1),
            columns=Tiling(layout.vectors_x, min(TILE_VECTORS, layout.vectors_x)),
        )
        with T.parallel(geometry.batch * geometry.in_channels) as plane:
            n, c = plane // geometry.in_channels, plane % geometry.in_channels
            tile = {(0, v): code.register() for v in range(store.columns.tile)}
            with T.serial(store.rows.count) as row, T.serial(store.columns.count) as i:
                column = store.columns.start(i)
                for (_, v), register in tile.items():
                    value = _window(code, geometry, window, data, (n, c), row, column + v)
                    code.set(register, value)
                store.emit(tile, n, c, row, column)

    return prim_func([("data", in_shape, "float32"), ("output", out_shape, "float32")], body)


def _window(
    code: VectorCode,
    geometry: Conv2dGeometry,
    window: Pool2dWindow,
    data: Buffer,
    plane: tuple[Expr, Expr],
    row: Expr,
    column: Expr,
) -> Expr:
    """Returns the pooled value of one output vector."""
    values, valid = [], []
    for y, x in itertools.product(range(window.size[0]), range(window.size[1])):
        at_row = row * geometry.stride[0] + y * geometry.dilation[0] - geometry.padding[0]
        at_column = column * geometry.stride[1] + x * geometry.dilation[1] - geometry.padding[1]
        values.append(code.load(data, *plane, geometry.in_layout.offset(at_row, at_column)))
        valid.append(_inside(geometry.in_layout, at_row, at_column))
    if window.kind == "max":
        if window.padded:
            low = code.broadcast(LOWEST)
            pairs = zip(valid, values, strict=True)
            values = [tirx.Select(inside, value, low) for inside, value in pairs]
        return _reduce(tirx.max, values)
    total = _reduce(lambda a, b: a + b, values)
    if window.count_padding or not window.padded:
        return total * code.broadcast(1.0 / len(values))
    one, zero = code.broadcast(1.0), code.broadcast(0.0)
    count = _reduce(lambda a, b: a + b, [tirx.Select(inside, one, zero) for inside in valid])
    return total / tirx.max(count, one)


def _inside(layout: LaneLayout, row: Expr, column: Expr) -> Expr:
    """Returns for each lane whether vector (row, column) holds a value of the plane."""
    y, x = block_starts(layout)
    y = y + tirx.Broadcast(row, layout.lanes)
    x = x + tirx.Broadcast(column, layout.lanes)
    zero = constant_vector([0] * layout.lanes)
    height = constant_vector([layout.height] * layout.lanes)
    width = constant_vector([layout.width] * layout.lanes)
    return tirx.And(tirx.And(y >= zero, y < height), tirx.And(x >= zero, x < width))


def _reduce(function, values: Sequence[Expr]) -> Expr:  # type: ignore[no-untyped-def]
    result = values[0]
    for value in values[1:]:
        result = function(result, value)
    return result


def global_average_pool(batch: int, channels: int, layout: LaneLayout) -> PrimFunc:
    """Generates the kernel (input, output (n, channels)): the mean of each plane."""

    def body(data: Buffer, output: Buffer) -> None:
        code = VectorCode(layout.lanes)
        with T.parallel(batch * channels) as plane:
            n, c = plane // channels, plane % channels
            total = code.register()
            code.set(total, code.broadcast(0.0))
            with T.serial(layout.vectors_y) as row, T.serial(layout.vectors_x) as column:
                value = code.load(data, n, c, layout.offset(row, column))
                code.set(total, code.get(total) + value)
            mean = _reduce(lambda a, b: a + b, [total[i] for i in range(layout.lanes)])
            T.buffer_store(output, mean * T.float32(1.0 / (layout.height * layout.width)), [n, c])

    shape = layout.shape(batch, channels)
    return prim_func([("data", shape, "float32"), ("output", (batch, channels), "float32")], body)
