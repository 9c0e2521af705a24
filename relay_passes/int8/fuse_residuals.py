"""Fuses a sum into the convolution that computes one of its tensors.

Before:  a = quantize(conv2d(x)); y = quantize(dequantize(a) + dequantize(b))
After:   y = quantize(round(conv2d(x)) + dequantize(b)), to the integers that a has
Ensures: the same results; an a that is read by others, too, is still computed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from tvm import relax

from relay_passes.int8.graph import Convolution, Encoded, Int8Node, Sum
from relay_passes.int8.int8_layers import with_layer

__all__ = ["fuse_residual"]


def fuse_residual(node: Int8Node, nodes: Mapping[relax.Var, Int8Node], reads: Counter) -> Int8Node:
    """Returns a sum fused with one of its arguments, or the node as it is.

    Args:
        nodes: those before this one, by their results, in order.
        reads: how often each variable is read.
    """
    if not isinstance(node.operator, Sum) or len(node.inputs) != 2:
        return node
    order = list(nodes)
    known = [each for each in node.inputs if each.var in nodes]
    for one in sorted(known, key=lambda each: order.index(each.var), reverse=True):
        other = node.inputs[0] if one is node.inputs[1] else node.inputs[1]
        fused = _fused(node, nodes[one.var], other) if reads[one.var] == 1 else None
        if fused is not None:
            return fused
    return node


def _fused(node: Int8Node, producer: Int8Node, other: Encoded) -> Int8Node | None:
    """Returns ``producer`` plus ``other``, stored as ``node`` is; None if that is not possible."""
    conv = producer.operator
    if not isinstance(conv, Convolution) or conv.residual is not None:
        return None
    low, high = (
        (bound - producer.encoding.zero) * producer.encoding.scale
        for bound in (producer.low, producer.high)
    )
    operator = replace(conv, residual=other, low=low, high=high, rounded=producer.encoding)
    return with_layer(replace(node, operator=operator, inputs=producer.inputs))
