"""Reads convolutions and matrix products, what is added to them, and sums of tensors."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from tvm import relax

from relay_passes.int8.drafts import Draft, Known
from relay_passes.int8.encodings import Constant
from relay_passes.int8.graph import Convolution, Encoded, Sum
from relay_passes.int8.read_views import flattened
from relay_passes.recognition.analyze_convolutions import ConvLayer, describe_conv
from relay_passes.relax_ir.values import fixed_shape, shape_of
from tvm_patdnn.sparse.weight_key import weight_key

__all__ = ["PRODUCTS"]


def _conv2d(known: Known, var: relax.Var, value: relax.Call) -> Draft | None:
    source, weight = known.tensor(value.args[0]), known.integers(value.args[1])
    found = _scaled(weight) if weight else None
    if source is None or found is None:
        return None
    name = known.names.get(weight_key(found[0]), var.name)
    layer = describe_conv(value, found[0], name)
    return _product(source, layer, found[1]) if layer else None


def _matmul(known: Known, var: relax.Var, value: relax.Call) -> Draft | None:
    source, matrix = known.tensor(value.args[0]), known.integers(value.args[1])
    if source is None or matrix is None or matrix.integers.ndim != 2 or len(fixed_shape(var)) != 2:
        return None
    inputs, outputs = matrix.integers.shape
    found = _scaled(matrix.transpose((1, 0)).reshape((outputs, inputs, 1, 1)))
    if found is None:
        return None
    rows = fixed_shape(var)[0]
    layer = ConvLayer(
        name=known.names.get(weight_key(found[0][:, :, 0, 0]), var.name),
        weight=found[0],
        groups=1,
        stride=(1, 1),
        dilation=(1, 1),
        padding=(0, 0, 0, 0),
        in_shape=(rows, inputs, 1, 1),
        out_shape=(rows, outputs, 1, 1),
    )
    return _product(source, layer, found[1])


def _scaled(weight: Constant) -> tuple[np.ndarray, np.ndarray] | None:
    """Returns the weight as int8 and the scale of each filter; None if there are no such."""
    integers, scale = weight.integers, weight.scale.reshape(len(weight.scale), -1)
    fits = integers.min(initial=0) >= -128 and integers.max(initial=0) <= 127
    if integers.ndim != 4 or not fits or not np.all(scale == scale[:, :1]):
        return None
    return np.ascontiguousarray(integers, np.int8), np.ascontiguousarray(scale[:, 0])


def _product(source: Encoded, layer: ConvLayer, scale: np.ndarray) -> Draft | None:
    """Drafts a layer; one of a single result for each filter becomes a matrix product."""
    one_in, one_out = (math.prod(s[2:]) == 1 for s in (layer.in_shape, layer.out_shape))
    bias = np.zeros(len(layer.weight))
    if one_in != one_out or (layer.kernel_shape != (1, 1) and one_in):
        return _covering(source, layer, scale)
    conv = Convolution(layer=layer, weight_scale=scale, bias=bias)
    return Draft(operator=conv, inputs=(source,))


def _covering(source: Encoded, layer: ConvLayer, scale: np.ndarray) -> Draft | None:
    """Drafts a convolution of a whole plane to one value; None if it is another."""
    covers = layer.kernel_shape == layer.in_shape[2:] and layer.out_shape[2:] == (1, 1)
    if not covers or any(layer.padding) or layer.groups != 1 or layer.dilation != (1, 1):
        return None
    flat = flattened(source, layer.in_shape)
    batch, features = (int(size) for size in flat.result.ty.shape.values)
    conv = Convolution(
        layer=replace(
            layer,
            weight=layer.weight.reshape(len(layer.weight), features, 1, 1),
            in_shape=(batch, features, 1, 1),
            stride=(1, 1),
        ),
        weight_scale=scale,
        bias=np.zeros(len(layer.weight)),
    )
    inputs = (Encoded(flat.result, source.encoding),)
    return Draft(operator=conv, inputs=inputs, before=(flat,))


def _add(known: Known, var: relax.Var, value: relax.Call) -> Draft | None:
    left, right = value.args
    return (
        _with_bias(known, left, right)
        or _with_bias(known, right, left)
        or _with_residual(known, left, right)
        or _with_residual(known, right, left)
        or _sum(known, left, right)
    )


def _with_bias(known: Known, data: relax.Expr, added: relax.Expr) -> Draft | None:
    draft, values = known.drafts.get(data), known.values(added)
    if draft is None or values is None or draft.is_bounded:
        return None
    conv, shape = draft.operator, fixed_shape(data)
    if not isinstance(conv, Convolution) or conv.residual is not None:
        return None
    wide = (1,) * (len(shape) - values.ndim) + values.shape
    if values.size not in (1, len(conv.bias)):
        return None
    if wide != (1, values.size, *(1,) * (len(shape) - 2)):
        return None
    bias = conv.bias + values.reshape(-1).astype(np.float64)
    return replace(draft, operator=replace(conv, bias=bias))


def _with_residual(known: Known, data: relax.Expr, added: relax.Expr) -> Draft | None:
    draft, other = known.drafts.get(data), known.tensor(added)
    if draft is None or other is None or shape_of(data) != shape_of(added):
        return None
    if not isinstance(draft.operator, Convolution) or draft.operator.residual is not None:
        return None
    conv = replace(draft.operator, residual=other, low=draft.low, high=draft.high)
    return Draft(operator=conv, inputs=draft.inputs, before=draft.before)


def _sum(known: Known, left: relax.Expr, right: relax.Expr) -> Draft | None:
    one, other = known.tensor(left), known.tensor(right)
    if one is None or other is None or shape_of(left) != shape_of(right):
        return None
    return Draft(operator=Sum(), inputs=(one, other))


PRODUCTS: Mapping[str, Callable[[Known, relax.Var, relax.Call], Draft | None]] = {
    "relax.add": _add,
    "relax.matmul": _matmul,
    "relax.nn.conv2d": _conv2d,
}
