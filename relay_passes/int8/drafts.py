"""Operators on integers whose result has not been quantised yet.

A draft is an operator of the model between the ``dequantize`` of its inputs and the ``quantize``
of its result, which says how the result is stored.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from tvm import relax

from relay_passes.int8.encodings import NUMBERS, Constant, Encoding
from relay_passes.int8.graph import (
    Convolution,
    Encoded,
    Flatten,
    Int8Node,
    Maxima,
    Operator,
    Sum,
    Table,
    View,
)
from relay_passes.int8.int8_layers import with_layer
from relay_passes.relax_ir.values import constant_value

__all__ = ["Draft", "Known", "finish", "unquantised_product"]

_KEEP_BYTES = (Maxima, View, Flatten)  # their results are bytes of their inputs


@dataclass(frozen=True, kw_only=True, eq=False)
class Draft:
    """An operator, and the bounds of a ReLU or a Clip behind it.

    Attributes:
        before: nodes that compute its inputs.
    """

    operator: Operator
    inputs: tuple[Encoded, ...]
    low: float = -math.inf
    high: float = math.inf
    before: tuple[Int8Node, ...] = ()

    @property
    def is_bounded(self) -> bool:
        """Whether there are bounds."""
        return (self.low, self.high) != (-math.inf, math.inf)

    def within(self, low: float, high: float) -> Draft:
        """Returns the draft with its results clipped."""
        low, high = (min(max(bound, low), high) for bound in (self.low, self.high))
        return replace(self, low=low, high=high)


@dataclass(frozen=True, kw_only=True, eq=False)
class Known:
    """What bindings that were read have computed.

    Attributes:
        names: names of layers by ``weight_key`` of their weights.
        constants: those that are given as integers.
        encoded: what is read of a ``dequantize``.
        drafts: what was made of encoded values.
        tables: the same that are functions of one byte.
        nodes: those that compute integers, by their results.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    constants: dict[relax.Var, Constant] = field(default_factory=dict)
    encoded: dict[relax.Var, Encoded] = field(default_factory=dict)
    drafts: dict[relax.Var, Draft] = field(default_factory=dict)
    tables: dict[relax.Var, Table] = field(default_factory=dict)
    nodes: dict[relax.Var, Int8Node] = field(default_factory=dict)

    def tensor(self, expr: relax.Expr) -> Encoded | None:
        """Returns the integers of a value; None if it has none."""
        return self.encoded.get(expr) if isinstance(expr, relax.Var) else None

    def draft(self, expr: relax.Expr) -> Draft | None:
        """Returns the draft of a value; of one that has integers, its sum."""
        if isinstance(expr, relax.Var) and expr in self.drafts:
            return self.drafts[expr]
        if isinstance(expr, relax.Var) and expr in self.tables:
            return _of_table(self.tables[expr])
        source = self.tensor(expr)
        return Draft(operator=Sum(), inputs=(source,)) if source else None

    def integers(self, expr: relax.Expr) -> Constant | None:
        """Returns a constant that is given as integers; None if ``expr`` is not one."""
        return self.constants.get(expr) if isinstance(expr, relax.Var) else None

    def values(self, expr: relax.Expr) -> np.ndarray | None:
        """Returns the value of a constant, float64 where it is given as integers; else None."""
        integers = self.integers(expr)
        return integers.values if integers else constant_value(expr)


def _of_table(table: Table) -> Draft | None:
    is_number = table.values.dtype == np.float32 and not np.isnan(table.values).any()
    return Draft(operator=table, inputs=(table.source,)) if is_number else None


def finish(draft: Draft, result: relax.Var, encoding: Encoding) -> Int8Node | None:
    """Returns the node that computes a draft; None if there is no kernel for it."""
    same = all(each.encoding == encoding for each in draft.inputs)
    if isinstance(draft.operator, _KEEP_BYTES) and not same:
        return None
    node = Int8Node(
        result=result,
        encoding=encoding,
        operator=draft.operator,
        inputs=draft.inputs,
        low=encoding.byte(draft.low),
        high=encoding.byte(draft.high),
    )
    return with_layer(node)


def unquantised_product(known: Known, var: relax.Var) -> Int8Node | None:
    """Returns the node of a matrix product whose results stay numbers; None if there is none."""
    draft = known.drafts.get(var)
    if draft is None or draft.is_bounded or not isinstance(draft.operator, Convolution):
        return None
    if draft.operator.residual is not None:
        return None
    node = Int8Node(result=var, encoding=NUMBERS, operator=draft.operator, inputs=draft.inputs)
    made = with_layer(node)
    return made if made is not None and made.int8 is not None and made.int8.flat else None
