"""Recognises the Relax operators that have a kernel in lanes.

Each recogniser answers None where an operator, or this use of it, is not its own; such an
operator stays as it is. What only makes sense on a tensor that is in lanes already, such
as a ReLU on its own, is recognised where its input is; convolutions always are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set

from tvm import relax

from relay_passes.recognition.analyze_convolutions import ConvLayer, read_conv_layer
from relay_passes.recognition.graph import Convolution, Copy, GlobalPool, LaneNode, Pooling
from relay_passes.recognition.recognize_steps import recognize_steps
from relay_passes.relax_ir.values import operator_name, shape_of
from relay_passes.rewrite_fully_connected import is_matrix_product
from te_schedules.cpu.pool2d import Pool2dWindow
from te_schedules.window import Window

__all__ = ["read_operator", "recognize", "recognize_all"]


def recognize_all(
    bindings: Sequence[relax.Binding],
    names: Mapping[str, str],
    leaves: Callable[[ConvLayer], bool] = lambda layer: False,
) -> list[LaneNode | relax.Binding]:
    """Returns the node of each binding, given in order; where there is none, the binding.

    Args:
        names: see ``analyze_convolutions``.
        leaves: which convolutions stay operators of TVM's.
    """
    items: list[LaneNode | relax.Binding] = []
    in_lanes: set[relax.Var] = set()
    for binding in bindings:
        node = recognize(binding.var, binding.value, in_lanes, names)
        if node is not None and isinstance(node.operator, Convolution):
            node = None if leaves(node.operator.layer) else node
        if node is not None and not isinstance(node.operator, GlobalPool):
            in_lanes.add(node.result)
        items.append(node or binding)
    return items


def recognize(
    var: relax.Var, value: relax.Expr, in_lanes: Set[relax.Var], names: Mapping[str, str]
) -> LaneNode | None:
    """Returns the node that computes ``var = value`` in lanes; None if there is none.

    Args:
        in_lanes: the variables that nodes before this one compute.
        names: see ``analyze_convolutions``.
    """
    shape = shape_of(var)
    operator = operator_name(value)
    if shape is None or (len(shape) != 4 and operator != "relax.mean"):
        return None
    if operator == "relax.nn.conv2d":
        layer = read_conv_layer(var, value, names)
        if layer is None or is_matrix_product(value):
            return None  # a plane of one value has no use for lanes
        return LaneNode(result=var, operator=Convolution(layer), inputs=(value.args[0],))
    if operator in _RECOGNIZERS:
        node = read_operator(var, value)
        return node if node and any(v in in_lanes for v in node.inputs) else None
    return recognize_steps(var, value, in_lanes)


def read_operator(var: relax.Var, value: relax.Expr) -> LaneNode | None:
    """Describes a pooling, a concatenation or a resizing; None if it is none of these."""
    read = _RECOGNIZERS.get(operator_name(value))
    return read(var, value) if read else None


def _pool(var: relax.Var, value: relax.Call) -> LaneNode | None:
    attrs, size = value.attrs, tuple(int(v) for v in value.attrs.pool_size)
    if (attrs.layout, attrs.out_layout) != ("NCHW", "NCHW"):
        return None
    in_shape, out_shape = shape_of(value.args[0]), shape_of(value)
    top, left = int(attrs.padding[0]), int(attrs.padding[1])
    stride = tuple(int(v) for v in attrs.strides)
    dilation = tuple(int(v) for v in attrs.dilation)
    if in_shape is None or out_shape is None:
        return None
    reach = [
        (out - 1) * step + (taps - 1) * gap - before >= extent
        for out, step, taps, gap, before, extent in zip(
            out_shape[2:], stride, size, dilation, (top, left), in_shape[2:], strict=True
        )
    ]
    is_max = value.op.name == "relax.nn.max_pool2d"
    padded = any((top, left, *reach))
    if not is_max and not padded and size == in_shape[2:] and dilation == (1, 1):
        return LaneNode(result=var, operator=GlobalPool(), inputs=(value.args[0],))
    if not is_max and padded and attrs.count_include_pad and attrs.ceil_mode:
        return None  # the last windows count their padding only up to the padded edge
    pool = Pool2dWindow(
        kind="max" if is_max else "average",
        size=size,  # type: ignore[arg-type]
        padded=padded,
        count_padding=bool(attrs.count_include_pad),
    )
    operator = Pooling(pool, Window(size, stride, dilation, (top, left)))  # type: ignore[arg-type]
    return LaneNode(result=var, operator=operator, inputs=(value.args[0],))


def _global_mean(var: relax.Var, value: relax.Call) -> LaneNode | None:
    in_shape = shape_of(value.args[0])
    axes = sorted(int(axis) % 4 for axis in value.attrs.axis or ())
    if in_shape is None or len(in_shape) != 4 or axes != [2, 3]:
        return None
    return LaneNode(result=var, operator=GlobalPool(), inputs=(value.args[0],))


def _adaptive_pool(var: relax.Var, value: relax.Call) -> LaneNode | None:
    if shape_of(value)[2:] != (1, 1) or value.attrs.layout != "NCHW":  # type: ignore[index]
        return None
    return LaneNode(result=var, operator=GlobalPool(), inputs=(value.args[0],))


def _concat(var: relax.Var, value: relax.Call) -> LaneNode | None:
    fields = getattr(value.args[0], "fields", None)
    if fields is None or int(value.attrs.axis) % 4 != 1:
        return None
    if any(not isinstance(field, relax.Var) or shape_of(field) is None for field in fields):
        return None
    return LaneNode(result=var, operator=Copy(), inputs=tuple(fields))


def _resize(var: relax.Var, value: relax.Call) -> LaneNode | None:
    attrs, old, new = value.attrs, shape_of(value.args[0]), shape_of(value)
    if old is None or new is None or attrs.method != "nearest_neighbor" or attrs.layout != "NCHW":
        return None
    repeat = new[2] // old[2]
    # These two place an enlarged pixel where its copies are, whatever the rounding.
    exact = (attrs.coordinate_transformation_mode, attrs.rounding_method) in {
        ("asymmetric", "floor"),
        ("half_pixel", "round_prefer_floor"),
        ("half_pixel", "round"),
    }
    if not exact or (old[2] * repeat, old[3] * repeat) != new[2:] or repeat < 1:
        return None
    return LaneNode(result=var, operator=Copy(repeat=repeat), inputs=(value.args[0],))


def _pixel_shuffle(var: relax.Var, value: relax.Call) -> LaneNode | None:
    operator = Copy(repeat=int(value.attrs.upscale_factor), shuffle=True)
    return LaneNode(result=var, operator=operator, inputs=(value.args[0],))


_RECOGNIZERS: Mapping[str, Callable[[relax.Var, relax.Call], LaneNode | None]] = {
    "relax.nn.max_pool2d": _pool,
    "relax.nn.avg_pool2d": _pool,
    "relax.nn.adaptive_avg_pool2d": _adaptive_pool,
    "relax.nn.pixel_shuffle": _pixel_shuffle,
    "relax.mean": _global_mean,
    "relax.concat": _concat,
    "relax.image.resize2d": _resize,
}
