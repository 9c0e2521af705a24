"""Which layers of a model one-shot pruning touches, at which rate, and why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tvm_patdnn.errors import PruningError
from tvm_patdnn.pruning.conv_layers import ConvLayer
from tvm_patdnn.pruning.fixed_tables import is_fixed_table
from tvm_patdnn.pruning.layer_names import check_names, is_named, named_rate
from tvm_patdnn.pruning.options import PruneOptions

__all__ = ["FIXED_TABLE", "LayerPlan", "plan_layers"]

FIXED_TABLE = "a fixed table, not filters"


@dataclass(frozen=True, kw_only=True, eq=False)
class LayerPlan:
    """What to do with one layer.

    Attributes:
        layer: the layer.
        rate: kernels before over kernels after.
        own_rate: the user gave this layer a rate, so it never competes with others.
        reason: why it is left alone, None if it is pruned.
    """

    layer: ConvLayer
    rate: float = 1.0
    own_rate: bool = False
    reason: str | None = None


def plan_layers(layers: Sequence[ConvLayer], options: PruneOptions) -> list[LayerPlan]:
    """Decides for each layer; returns plans in the order of ``layers``.

    Raises:
        PruningError: the options name a layer that is not there or that cannot be
            pruned, or a weight to prune is not finite.
    """
    check_names(layers, "per_layer", options.per_layer)
    check_names(layers, "skip_layers", options.skip_layers)
    return [_plan(layer, options) for layer in layers]


def _plan(layer: ConvLayer, options: PruneOptions) -> LayerPlan:
    if is_named(layer, options.skip_layers):
        return LayerPlan(layer=layer, reason="named in skip_layers")
    own, by_full_name = named_rate(layer, options.per_layer)
    obstacle = _obstacle(layer)
    if obstacle and by_full_name:
        raise PruningError(
            f"{layer.name}: cannot be pruned: {obstacle}; take the layer out of per_layer"
        )
    reason = obstacle or (None if by_full_name else _reservation(layer, options))
    if reason:
        return LayerPlan(layer=layer, reason=reason)
    return _pruned(layer, own, options)


def _pruned(layer: ConvLayer, own: float | None, options: PruneOptions) -> LayerPlan:
    """Plans a layer that nothing stands in the way of."""
    assert layer.weight is not None  # a missing weight is an obstacle
    kernel_shape = layer.weight.shape[2:]
    shared_rate = options.rate_1x1 if kernel_shape == (1, 1) else options.connectivity
    rate = shared_rate if own is None else own
    if rate == 1 and kernel_shape not in options.pattern_sizes:
        size = "x".join(map(str, kernel_shape))
        return LayerPlan(layer=layer, reason=f"rate 1.0, and no patterns for {size} kernels")
    _check_finite(layer.name, layer.weight)
    return LayerPlan(layer=layer, rate=rate, own_rate=own is not None)


def _obstacle(layer: ConvLayer) -> str | None:
    """Says why ``layer`` can never be pruned, None if it can."""
    if layer.weight is None:
        return "its weight is not a floating-point constant"
    if layer.weight.ndim != 4:
        return f"a {layer.weight.ndim - 2}-d convolution"
    if layer.group > 1 and layer.weight.shape[1] == 1:
        return "depthwise"
    if layer.group > 1:
        return f"grouped ({layer.group} groups)"
    if layer.other_use:
        return f"its weight is also used by {layer.other_use}"
    return "frozen (requires_grad is False)" if layer.frozen else None


def _reservation(layer: ConvLayer, options: PruneOptions) -> str | None:
    """Says why ``layer`` is pruned only if it is asked for by its full name."""
    assert layer.weight is not None  # a missing weight is an obstacle
    if is_fixed_table(layer.weight):
        return FIXED_TABLE
    if layer.first and not options.first_layer:
        return "first layer (see first_layer)"
    return None


def _check_finite(name: str, weight: np.ndarray) -> None:
    bad = np.count_nonzero(~np.isfinite(weight.astype(np.float64)))
    if bad:
        raise PruningError(
            f"{name}: {bad} of {weight.size} weights are infinite or not a number; "
            "expected finite weights; check the training, or name the layer in skip_layers"
        )
