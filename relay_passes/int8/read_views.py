"""Reads what only gives a tensor another shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tvm import relax

from relay_passes.int8.drafts import Draft, Known
from relay_passes.int8.graph import Encoded, Flatten, Int8Node, View
from relay_passes.relax_ir.values import fixed_shape, operator_name
from te_schedules.cpu.int8.planes import stored_shape

__all__ = ["VIEWS", "flattened"]


def flattened(source: Encoded, shape: tuple[int, ...]) -> Int8Node:
    """Returns the node that stores all pixels of a tensor of ``shape`` as one plane."""
    features = 1
    for size in shape[1:]:
        features *= size
    kind = relax.TensorType((shape[0], features), source.encoding.dtype)
    return Int8Node(
        result=relax.Var(f"{source.var.name}_flat", kind),
        encoding=source.encoding,
        operator=Flatten(),
        inputs=(source,),
    )


def _view(known: Known, var: relax.Var, value: relax.Call) -> Draft | None:
    source, shape = known.tensor(value.args[0]), fixed_shape(var)
    if source is None or len(shape) < 2 or not _keeps_order(value):
        return None
    before = stored_shape(fixed_shape(value.args[0]))
    if before == stored_shape(shape):
        return Draft(operator=View(), inputs=(source,))
    joins_planes = stored_shape(shape)[1] == 1 and before[0] == shape[0]
    return Draft(operator=Flatten(), inputs=(source,)) if joins_planes else None


def _keeps_order(value: relax.Call) -> bool:
    """Whether values follow each other as before."""
    if operator_name(value) != "relax.permute_dims":
        return True
    shape = fixed_shape(value.args[0])
    axes = value.attrs.axes
    order = [int(a) for a in axes] if axes is not None else list(range(len(shape)))[::-1]
    moved = [axis for axis in order if shape[axis] > 1]
    return moved == sorted(moved)


VIEWS: Mapping[str, Callable[[Known, relax.Var, relax.Call], Draft | None]] = dict.fromkeys(
    ("relax.expand_dims", "relax.flatten", "relax.permute_dims", "relax.reshape", "relax.squeeze"),
    _view,
)
