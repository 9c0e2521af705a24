"""Which layers of a model one-shot pruning touches, at which rate, and why not."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tvm_patdnn.errors import PruningError
from tvm_patdnn.pruning.conv_layers import ConvLayer
from tvm_patdnn.pruning.options import PruneOptions

__all__ = ["LayerPlan", "plan_layers"]

_NAMES_SHOWN = 20


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
    _check_names(layers, options)
    return [_plan(layer, options) for layer in layers]


def _plan(layer: ConvLayer, options: PruneOptions) -> LayerPlan:
    own = [rate for name, rate in options.per_layer.items() if name in layer.names]
    if any(name in layer.names for name in options.skip_layers):
        return LayerPlan(layer=layer, reason="named in skip_layers")
    obstacle = _obstacle(layer)
    if obstacle and own:
        raise PruningError(
            f"{layer.name}: cannot be pruned: {obstacle}; take the layer out of per_layer"
        )
    if obstacle:
        return LayerPlan(layer=layer, reason=obstacle)
    if layer.first and not own and not options.first_layer:
        return LayerPlan(layer=layer, reason="first layer (see first_layer)")
    return _pruned(layer, own, options)


def _pruned(layer: ConvLayer, own: list[float], options: PruneOptions) -> LayerPlan:
    """Plans a layer that nothing stands in the way of."""
    assert layer.weight is not None  # a missing weight is an obstacle
    kernel_shape = layer.weight.shape[2:]
    shared_rate = options.rate_1x1 if kernel_shape == (1, 1) else options.connectivity
    rate = own[0] if own else shared_rate
    if rate == 1 and kernel_shape not in options.pattern_sizes:
        size = "x".join(map(str, kernel_shape))
        return LayerPlan(layer=layer, reason=f"rate 1.0, and no patterns for {size} kernels")
    _check_finite(layer.name, layer.weight)
    return LayerPlan(layer=layer, rate=rate, own_rate=bool(own))


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
    return None


def _check_names(layers: Sequence[ConvLayer], options: PruneOptions) -> None:
    known = [name for layer in layers for name in layer.names]
    for option in ("per_layer", "skip_layers"):
        for name in getattr(options, option):
            if name not in known:
                raise PruningError(
                    f"{option}: the model has no convolution {name!r}; {_hint(name, layers)}"
                )


def _hint(name: str, layers: Sequence[ConvLayer]) -> str:
    """Suggests what a wrong layer name may stand for."""
    near = difflib.get_close_matches(name, [n for layer in layers for n in layer.names], n=1)
    if near:
        return f"did you mean {near[0]!r}"
    names = ", ".join(layer.name for layer in layers[:_NAMES_SHOWN]) or "none"
    return f"it has {names}{', ...' if len(layers) > _NAMES_SHOWN else ''}"


def _check_finite(name: str, weight: np.ndarray) -> None:
    bad = np.count_nonzero(~np.isfinite(weight.astype(np.float64)))
    if bad:
        raise PruningError(
            f"{name}: {bad} of {weight.size} weights are infinite or not a number; "
            "expected finite weights; check the training, or name the layer in skip_layers"
        )
