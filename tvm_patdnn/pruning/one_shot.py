"""One-shot pruning of an ONNX file: mine patterns, project, cut connectivity.

Nothing is trained, so accuracy drops with the rate; the result shows what a rate costs
and gains, and is the start for training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from onnx import numpy_helper

from tvm_patdnn.importing.check_nodes import check_nodes
from tvm_patdnn.importing.onnx_constants import array_of
from tvm_patdnn.importing.onnx_file import ModelSource, load_onnx
from tvm_patdnn.pruning.conv_layers import decline_quantised, find_conv_layers
from tvm_patdnn.pruning.fully_connected import prune_fully_connected
from tvm_patdnn.pruning.network_projection import (
    connectivity_masks,
    filter_blocks,
    pattern_masks,
    pattern_sets,
)
from tvm_patdnn.pruning.options import (
    ConnectivityScope,
    FilterGrouping,
    PatternChoice,
    PruneOptions,
)
from tvm_patdnn.pruning.plan import LayerPlan, plan_layers
from tvm_patdnn.pruning.report import PrunedLayer, describe_layer

__all__ = ["prune_onnx", "prune_onnx_with_report"]


def prune_onnx(
    model: ModelSource,
    *,
    patterns: PatternChoice = 8,
    entries: int = 4,
    connectivity: float = 3.6,
    per_layer: Mapping[str, float] | None = None,
    connectivity_scope: ConnectivityScope = "layer",
    filter_block: int = 1,
    filter_grouping: FilterGrouping = "neighbours",
    first_layer: bool = False,
    connectivity_1x1: float | None = None,
    skip_layers: Sequence[str] = (),
    fully_connected: float = 1.0,
) -> onnx.ModelProto:
    """Prunes the convolutions of an ONNX model without training.

    3x3 kernels get a pattern of the mined set, then the strongest ``1/connectivity`` of
    the kernels stay; other kernel sizes get connectivity pruning only. Depthwise and
    grouped convolutions and weights that are not constants are left alone; by default the
    first convolution and fixed tables, such as the integral of a YOLO head, too. Kernels
    are ranked by the L2 norm of their stored weights, also where a batch norm follows that
    is not folded yet.

    Args:
        model: path, file contents or model; it is not changed.
        patterns: how many patterns to mine, ``"all"``, or the patterns.
        entries: weights that a pattern keeps, the centre included.
        connectivity: kernels before over kernels after; 1.0 for patterns only.
        per_layer: rates of single layers by name, the first layer too; names may have wildcards.
        connectivity_scope: where kernels compete: layer, global or balanced.
        filter_block: filters that keep the same kernels and patterns.
        filter_grouping: which filters form a block: neighbours or similar ones.
        first_layer: whether to prune the first layer.
        connectivity_1x1: rate of 1x1 layers; None for ``connectivity``.
        skip_layers: layers to leave alone; names may have wildcards.
        fully_connected: rate of fully connected layers; 1.0 leaves them alone.
            :class:`PruneOptions` tells more about each.

    Returns:
        A model with the same graph and opset, the removed weights being zero.

    Raises:
        PruningError: an option is out of range, a layer name is unknown, a weight is
            not finite, or the model is quantised.
        ModelError: the model cannot be read.
    """
    options = PruneOptions(
        patterns=patterns,
        entries=entries,
        connectivity=connectivity,
        per_layer=per_layer or {},
        connectivity_scope=connectivity_scope,
        filter_block=filter_block,
        filter_grouping=filter_grouping,
        first_layer=first_layer,
        connectivity_1x1=connectivity_1x1,
        skip_layers=skip_layers,
        fully_connected=fully_connected,
    )
    return prune_onnx_with_report(model, options)[0]


def prune_onnx_with_report(
    model: ModelSource, options: PruneOptions
) -> tuple[onnx.ModelProto, list[PrunedLayer]]:
    """Prunes like :func:`prune_onnx`; also returns one row per layer that it looked at."""
    pruned = onnx.ModelProto()
    pruned.CopyFrom(load_onnx(model))
    decline_quantised(pruned.graph)
    check_nodes(pruned)
    plans = plan_layers(find_conv_layers(pruned.graph), options)
    chosen = [plan for plan in plans if plan.reason is None]
    dense = [_weight(plan) for plan in chosen]
    blocks = filter_blocks(dense, chosen, options)
    by_pattern = pattern_masks(dense, blocks, pattern_sets(dense, blocks, options))
    weights = [_masked(weight, mask) for weight, mask in zip(dense, by_pattern, strict=True)]
    masks = connectivity_masks(weights, blocks, chosen, options)
    for plan, weight, mask in zip(chosen, weights, masks, strict=True):
        _write(plan, _masked(weight, mask[:, :, None, None]))
    rows = [_row(plan) for plan in plans]
    if options.fully_connected > 1:
        rows += prune_fully_connected(pruned.graph, options.fully_connected)
    return pruned, rows


def _weight(plan: LayerPlan) -> np.ndarray:
    assert plan.layer.weight is not None  # else it would not be pruned
    return plan.layer.weight


def _masked(weight: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return np.where(mask, weight, np.zeros_like(weight))


def _write(plan: LayerPlan, weight: np.ndarray) -> None:
    """Replaces the layer's stored weight: (out_c, in_c, kh, kw) of the same dtype."""
    tensor = plan.layer.tensor
    assert tensor is not None  # else it would not be pruned
    tensor.CopyFrom(numpy_helper.from_array(weight, tensor.name))
    onnx.checker.check_tensor(tensor)


def _row(plan: LayerPlan) -> PrunedLayer:
    """Reports what the model now holds for a layer."""
    tensor = plan.layer.tensor
    weight = None if tensor is None else array_of(tensor)
    return describe_layer(plan.layer.name, weight, plan.reason)
