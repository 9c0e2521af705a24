"""Folds scales and zero points of a convolution into what its kernel computes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from relay_passes.int8.encodings import Encoding
from relay_passes.int8.graph import Convolution, Int8Node
from te_schedules.cpu.int8.layer import LARGEST_STEPS, Int8Layer, Requantization, Residual

__all__ = ["with_layer"]


def with_layer(node: Int8Node) -> Int8Node | None:
    """Returns the node with what its kernel computes, if it is a convolution.

    None if float32 could not round that.
    """
    if not isinstance(node.operator, Convolution):
        return node
    layer = _int8_layer(node.operator, node)
    return replace(node, int8=layer) if layer else None


def _int8_layer(conv: Convolution, node: Int8Node) -> Int8Layer | None:
    """Returns what the kernel of a convolution computes; None if float32 could not round it."""
    layer, source, encoding = conv.layer, node.inputs[0].encoding, node.encoding
    step = np.float32(source.scale) * conv.weight_scale
    scale = step / np.float32((conv.rounded or encoding).scale)
    weights = layer.weight.astype(np.int64).reshape(len(layer.weight), -1).sum(1)
    own_bias = np.zeros_like(conv.bias) if node.stores_numbers else conv.bias
    bias = np.rint(own_bias / step.astype(np.float64)) - source.zero * weights
    if not np.all(np.abs(bias) < 2**31) or not np.all(np.isfinite(scale)):
        return None
    store = Requantization(
        scale=scale,
        zero=encoding.zero,
        low=node.low,
        high=node.high,
        residual=_residual(conv, encoding),
        offset=conv.bias.astype(np.float32) if node.stores_numbers else None,
    )
    found = Int8Layer(
        in_shape=layer.in_shape,
        out_shape=layer.out_shape,
        window=layer.window,
        groups=layer.groups,
        weight=layer.weight,
        bias=bias.astype(np.int32),
        in_zero=source.zero,
        store=store,
    )
    return found if found.is_exact else None


def _residual(conv: Convolution, encoding: Encoding) -> Residual | None:
    if conv.residual is None:
        return None
    own = conv.rounded or encoding
    low, high = (
        float(np.clip(bound / own.scale, -LARGEST_STEPS, LARGEST_STEPS))
        for bound in (conv.low, conv.high)
    )
    other = conv.residual.encoding
    return Residual(
        scale=_ratio(other, encoding),
        zero=other.zero,
        low=np.rint(low) if conv.rounded else low,
        high=np.rint(high) if conv.rounded else high,
        own=_ratio(own, encoding) if conv.rounded else None,
    )


def _ratio(one: Encoding, other: Encoding) -> float:
    return float(np.float32(one.scale) / np.float32(other.scale))
