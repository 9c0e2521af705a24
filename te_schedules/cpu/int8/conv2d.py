"""The kernel of a quantised convolution or matrix product."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from tvm import tirx
from tvm.tirx import Buffer, PrimFunc
from tvm.tirx.script import builder as T

from te_schedules.cpu.int8.choose_strips import choose_strips
from te_schedules.cpu.int8.layer import Int8Layer, Requantization
from te_schedules.cpu.int8.planes import stored_shape
from te_schedules.cpu.int8.strip_conv2d import strip_conv2d
from te_schedules.cpu.vector_code import Expr, prim_func, when
from tvm_patdnn.machine.cpu_model import CpuModel

__all__ = ["Int8Kernel", "choose_int8_kernel"]

Kind = Literal["pattern", "connectivity", "dense", "depthwise"]

DENSE = 0.9  # of the weights: quantisation makes a few zeros by itself
ROUNDING = 1.5 * 2**23  # the float32 whose unit is 1: what is added to it is rounded


@dataclass(frozen=True, kw_only=True, eq=False)
class Int8Kernel:
    """What a layer is computed by.

    Attributes:
        kind: see ``LayerReport``.
        reason: why this one, for people.
        constants: arrays that the function takes, by name and in order.
        func: of (data, *constants, [residual], output).
        bytes: of the packed weight, of which ``structure_bytes`` are not weights.
        input_loads, products: vectors of bytes that are loaded, and that are multiplied.
    """

    kind: Kind
    reason: str
    constants: Mapping[str, np.ndarray]
    func: PrimFunc
    bytes: int
    structure_bytes: int
    input_loads: int
    products: int
    schedule: Mapping[str, Any] = field(default_factory=dict)


def choose_int8_kernel(layer: Int8Layer, cpu: CpuModel, *, sparse: bool = True) -> Int8Kernel:
    """Returns the kernel of a layer.

    Args:
        sparse: False computes a pruned layer as if it were dense.
    """
    if layer.flat:
        return _product(layer)
    chosen = choose_strips(layer, cpu, sparse)
    counts = chosen.counts
    return Int8Kernel(
        kind=kind_of(layer, sparse),
        reason=chosen.reason,
        constants=chosen.constants,
        func=strip_conv2d(chosen),
        bytes=counts.weight_bytes + counts.structure_bytes,
        structure_bytes=counts.structure_bytes,
        input_loads=counts.input_loads,
        products=counts.products,
        schedule=chosen.schedule,
    )


def kind_of(layer: Int8Layer, sparse: bool) -> Kind:
    """Tells how a layer was pruned, by its zeros."""
    if layer.groups > 1 and layer.weight.shape[1] == 1:
        return "depthwise"
    kept = (layer.weight != 0).reshape(*layer.weight.shape[:2], -1)
    if not sparse or kept.mean() >= DENSE:
        return "dense"
    kernels = kept[kept.any(axis=2)]
    return "connectivity" if kernels.size == 0 or kernels.mean() >= DENSE else "pattern"


def _product(layer: Int8Layer) -> Int8Kernel:
    """Returns the kernel of a matrix product."""
    constants = {"weight": layer.weight, "bias": layer.bias, "scale": layer.store.scale}
    return Int8Kernel(
        kind="dense",
        reason="a matrix product in plain loops",
        constants=constants,
        func=_plain(layer, constants),
        bytes=layer.weight.size,
        structure_bytes=0,
        input_loads=layer.weight.size * layer.out_shape[0],
        products=layer.weight.size * layer.out_shape[0],
    )


def _plain(layer: Int8Layer, constants: Mapping[str, np.ndarray]) -> PrimFunc:
    out_c = layer.out_shape[1]
    out_stored = stored_shape(layer.out_shape)
    params = [
        ("data", stored_shape(layer.in_shape), "uint8"),
        *((name, each.shape, str(each.dtype)) for name, each in constants.items()),
        *([("residual", out_stored, "uint8")] if layer.store.residual else []),
        ("output", out_stored, "uint8"),
    ]

    def body(data: Buffer, weight: Buffer, bias: Buffer, scale: Buffer, *rest: Buffer) -> None:
        width, pixels = layer.out_shape[3], int(np.prod(layer.out_shape[2:]))
        with T.parallel(layer.out_shape[0] * out_c) as plane:
            n, c = plane // out_c, plane % out_c
            total = T.alloc_buffer((1,), "int32")
            with T.serial(pixels) as pixel:
                T.buffer_store(total, bias[c], [0])
                _sum(layer, data, weight, total, n, c, pixel // width, pixel % width)
                at = (n, 0, c) if layer.flat else (n, c, pixel)
                other = rest[0][at] if layer.store.residual else None
                value = _requantised(layer.store, T.Cast("float32", total[0]) * scale[c], other)
                T.buffer_store(rest[-1], value, list(at))

    return prim_func(params, body)


def _sum(
    layer: Int8Layer,
    data: Buffer,
    weight: Buffer,
    total: Buffer,
    n: Expr,
    c: Expr,
    y: Expr,
    x: Expr,
) -> None:
    """Adds the products of one result to ``total``."""
    window, (_, _, height, width) = layer.window, layer.in_shape
    channels = layer.weight.shape[1]
    first = c // (layer.out_shape[1] // layer.groups) * channels
    with T.grid(channels, *window.taps) as (i, ky, kx):
        row = y * window.stride[0] + ky * window.dilation[0] - window.padding[0]
        column = x * window.stride[1] + kx * window.dilation[1] - window.padding[1]
        factor = T.Cast("int32", weight[c, i, ky, kx])
        if layer.flat:
            byte = T.Cast("int32", data[n, 0, first + i])
            T.buffer_store(total, total[0] + factor * byte, [0])
            return
        inside = tirx.all(row >= 0, row < height, column >= 0, column < width)
        with when(inside):
            byte = T.Cast("int32", data[n, first + i, row * width + column])
            T.buffer_store(total, total[0] + factor * byte, [0])
        with when(tirx.Not(inside)):
            T.buffer_store(total, total[0] + factor * T.int32(layer.in_zero), [0])


def _requantised(store: Requantization, steps: Expr, other: Expr | None) -> Expr:
    """Returns the byte of a value in steps of the result."""
    if store.residual is not None:
        residual = store.residual
        low, high = T.float32(residual.low), T.float32(residual.high)
        added = T.Cast("float32", T.Cast("int32", other) - T.int32(residual.zero))
        steps = tirx.min(tirx.max(steps, low), high) + added * T.float32(residual.scale)
    steps = tirx.max(steps, T.float32(store.low - store.zero))
    steps = tirx.min(steps, T.float32(store.high - store.zero)) + T.float32(ROUNDING)
    bits = int(np.float32(ROUNDING).view(np.int32))
    return T.Cast("uint8", T.reinterpret("int32", steps) - T.int32(bits - store.zero))
