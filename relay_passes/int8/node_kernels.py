"""The kernels of nodes that multiply nothing."""

from __future__ import annotations

from tvm.tirx import PrimFunc

from relay_passes.int8.encodings import Encoding
from relay_passes.int8.graph import (
    Averages,
    Enlargement,
    Flatten,
    Int8Node,
    Join,
    Maxima,
    Means,
    Quantize,
    Sum,
    Table,
)
from relay_passes.relax_ir.values import tensor_shape
from te_schedules.cpu.int8.byte_code import StoredRange, Term
from te_schedules.cpu.int8.combine_planes import join_planes, sum_planes
from te_schedules.cpu.int8.convert_planes import flatten_planes, quantize_planes
from te_schedules.cpu.int8.enlarge_planes import enlarge_planes
from te_schedules.cpu.int8.look_up_planes import look_up_planes
from te_schedules.cpu.int8.mean_of_planes import mean_of_planes
from te_schedules.cpu.int8.pool_planes import average_planes, max_planes

__all__ = ["kernel_of", "term_of"]


def term_of(encoding: Encoding, result: Encoding | None = None) -> Term:
    """Returns what bytes stand for, in steps of ``result``, or of 1."""
    scale = encoding.scale / result.scale if result else encoding.scale
    return Term(scale=scale, zero=encoding.zero)


def kernel_of(node: Int8Node) -> tuple[str, PrimFunc]:
    """Returns the name and the kernel of a node."""
    operator, encoding = node.operator, node.encoding
    stored = StoredRange(zero=encoding.zero, low=node.low, high=node.high)
    if isinstance(operator, Quantize):
        shape = tensor_shape(node.result)
        return "quantize_planes", quantize_planes(shape, encoding.scale, stored)
    shapes = [tensor_shape(each.var) for each in node.inputs]
    terms = [term_of(each.encoding, encoding) for each in node.inputs]
    if isinstance(operator, Flatten):
        return "flatten_planes", flatten_planes(shapes[0])
    if isinstance(operator, Maxima):
        return "max_planes", max_planes(operator.pool, stored)
    if isinstance(operator, Averages):
        return "average_planes", average_planes(operator.pool, terms[0], stored)
    if isinstance(operator, Means):
        return "mean_of_planes", mean_of_planes(shapes[0], terms[0], stored)
    if isinstance(operator, Table):
        return "look_up_planes", look_up_planes(shapes[0])
    if isinstance(operator, Sum):
        return "sum_planes", sum_planes(shapes[0], terms, stored)
    if isinstance(operator, Join):
        return "join_planes", join_planes(shapes, terms, stored)
    assert isinstance(operator, Enlargement), "views and layers have no such kernel"
    return "enlarge_planes", enlarge_planes(shapes[0], operator.repeat, terms[0], stored)  # type: ignore[arg-type]
