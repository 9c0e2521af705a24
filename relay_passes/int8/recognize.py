"""Recognises the operators of a quantised network that have int8 kernels.

Bindings are read in their order. What is between the ``dequantize`` of inputs and the
``quantize`` of a result is a draft; the ``quantize`` makes a node of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tvm import relax

from relay_passes.int8.drafts import Draft, Known, finish
from relay_passes.int8.encodings import read_constant, read_encoding
from relay_passes.int8.graph import Encoded, Int8Node, Quantize
from relay_passes.int8.read_bounds import BOUNDS, CLIPS, clipped_integers
from relay_passes.int8.read_planes import PLANES
from relay_passes.int8.read_products import PRODUCTS
from relay_passes.int8.read_tables import read_table
from relay_passes.int8.read_views import VIEWS
from relay_passes.relax_ir.values import operator_name, shape_of

__all__ = ["recognize"]

_READERS: Mapping[str, Callable[[Known, relax.Var, relax.Call], Draft | None]] = {
    **BOUNDS,
    **PLANES,
    **PRODUCTS,
    **VIEWS,
}


def recognize(known: Known, var: relax.Var, value: relax.Expr) -> tuple[Int8Node, ...]:
    """Returns the nodes that compute ``var = value``, if there are any.

    Args:
        known: of the bindings before this one; what this one computes is added.
    """
    operator = operator_name(value)
    constant = read_constant(value, known.constants) if operator else None
    if constant is not None:
        known.constants[var] = constant
    elif operator == "relax.dequantize":
        _read_dequantize(known, var, value)
    elif operator == "relax.quantize":
        return _keep(known, _read_quantize(known, var, value))
    elif operator in CLIPS and value.args[0] in known.nodes:
        return _keep(known, clipped_integers(known, var, value))
    elif operator:
        _read_operator(known, var, value)
    return ()


def _read_operator(known: Known, var: relax.Var, value: relax.Call) -> None:
    read = _READERS.get(operator_name(value))
    draft = read(known, var, value) if read and shape_of(var) is not None else None
    if draft is not None:
        known.drafts[var] = draft
        return
    table = read_table(known, var, value)
    if table is not None:
        known.tables[var] = table


def _keep(known: Known, nodes: tuple[Int8Node, ...]) -> tuple[Int8Node, ...]:
    known.nodes.update({node.result: node for node in nodes})
    return nodes


def _read_dequantize(known: Known, var: relax.Var, value: relax.Call) -> None:
    encoding = read_encoding(value)
    if encoding and isinstance(value.args[0], relax.Var) and _has_planes(var):
        known.encoded[var] = Encoded(value.args[0], encoding)


def _read_quantize(known: Known, var: relax.Var, value: relax.Call) -> tuple[Int8Node, ...]:
    encoding, source = read_encoding(value), value.args[0]
    if encoding is None or not _has_planes(source):
        return ()
    draft = known.draft(source) or Draft(operator=Quantize(source), inputs=())
    node = finish(draft, var, encoding)
    if node is None:
        node = finish(Draft(operator=Quantize(source), inputs=()), var, encoding)
    return (*draft.before, node) if node else ()


def _has_planes(expr: relax.Expr) -> bool:
    """Whether a value is float32, of fixed shape (n, c, ...)."""
    shape = shape_of(expr)
    return shape is not None and len(shape) >= 2 and min(shape) > 0
