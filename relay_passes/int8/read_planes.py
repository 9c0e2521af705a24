"""Reads poolings, means, concatenations and resizings of quantised tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tvm import relax

from relay_passes.int8.drafts import Draft, Known
from relay_passes.int8.graph import Averages, Enlargement, Join, Maxima, Means, Operator
from relay_passes.recognition.graph import Copy, GlobalPool, LaneNode, Pooling
from relay_passes.recognition.recognize_operators import read_operator
from relay_passes.relax_ir.values import fixed_shape
from te_schedules.cpu.int8.pool_planes import PoolPlanes

__all__ = ["PLANES"]


def _read(known: Known, var: relax.Var, value: relax.Call) -> Draft | None:
    node = read_operator(var, value)
    tensors = [known.tensor(source) for source in node.inputs] if node else []
    inputs = tuple(each for each in tensors if each is not None)
    if node is None or len(inputs) != len(tensors):
        return None
    operator = _operator(node)
    return Draft(operator=operator, inputs=inputs) if operator else None


def _operator(node: LaneNode) -> Operator | None:
    operator, in_shape = node.operator, fixed_shape(node.inputs[0])
    if isinstance(operator, GlobalPool):
        return Means() if in_shape[2] * in_shape[3] > 1 else None
    if isinstance(operator, Pooling):
        pool = PoolPlanes(
            in_shape=in_shape,  # type: ignore[arg-type]
            out_shape=fixed_shape(node.result),  # type: ignore[arg-type]
            window=operator.window,
        )
        if in_shape[2] * in_shape[3] == 1:
            return None
        if operator.pool.kind == "max":
            return Maxima(pool)
        return Averages(pool, operator.pool.count_padding)
    if not isinstance(operator, Copy) or operator.shuffle:
        return None
    return Enlargement(operator.repeat) if len(node.inputs) == 1 else Join()


PLANES: Mapping[str, Callable[[Known, relax.Var, relax.Call], Draft | None]] = dict.fromkeys(
    (
        "relax.concat",
        "relax.image.resize2d",
        "relax.mean",
        "relax.nn.adaptive_avg_pool2d",
        "relax.nn.avg_pool2d",
        "relax.nn.max_pool2d",
    ),
    _read,
)
