"""Writes what ONNX can say in several ways in the one that TVM's importer reads well.

auto_pad           -> explicit pads (the importer emits a kernel for the padding otherwise)
Pad, then Conv     -> Conv with pads
Slice              -> with its bounds as inputs
OneHot, IsInf      -> comparisons
Equal of bool      -> Not(Xor)
NonMaxSuppression  -> with all its numbers
MaxPool, indices   -> comparisons of shifted planes
MaxUnpool          -> without the size that it has anyhow
Pow                -> of one type
Dropout            -> nothing
LpNormalization    -> a division by the norm
LayerNormalization -> with statistics: what it computes
Shape, Size        -> a constant
Celu               -> Div, Elu, Mul
HardSigmoid        -> Mul, Add, Clip (the importer also tests for NaN)
HardSwish          -> the same and a Mul
Resize, Upsample   -> Gathers and their weighted sum, or an enlargement by a whole number
ConvTranspose      -> Conv and a pixel shuffle (TVM's own is a loop over mostly zeros)
"""

from __future__ import annotations

from collections.abc import Callable

import onnx

from tvm_patdnn.errors import ModelError
from tvm_patdnn.importing.node_errors import naming_node
from tvm_patdnn.importing.onnx_activations import (
    expand_celu,
    expand_hard_sigmoid,
    expand_hard_swish,
)
from tvm_patdnn.importing.onnx_conv_transpose import split_conv_transpose
from tvm_patdnn.importing.onnx_dropout import drop_nothing
from tvm_patdnn.importing.onnx_fixed_shape import fold_shape
from tvm_patdnn.importing.onnx_graph import OnnxGraph
from tvm_patdnn.importing.onnx_layer_normalization import expand_layer_normalization
from tvm_patdnn.importing.onnx_lp_normalization import divide_by_norm
from tvm_patdnn.importing.onnx_max_pool_indices import compare_for_indices
from tvm_patdnn.importing.onnx_max_unpool import unpool_to_own_size
from tvm_patdnn.importing.onnx_non_max_suppression import explicit_thresholds
from tvm_patdnn.importing.onnx_number_tests import equal_truths, signed_is_inf
from tvm_patdnn.importing.onnx_one_hot import compare_one_hot
from tvm_patdnn.importing.onnx_padding import explicit_pads, fold_pad
from tvm_patdnn.importing.onnx_pow import pow_of_one_type
from tvm_patdnn.importing.onnx_resize import gather_resize
from tvm_patdnn.importing.onnx_slice import slice_inputs
from tvm_patdnn.importing.onnx_transposed_pads import explicit_transposed_pads
from tvm_patdnn.importing.onnx_unsupported import decline_misread

__all__ = ["normal_form"]

Rewrite = Callable[[OnnxGraph, onnx.NodeProto], list[onnx.NodeProto] | None]

OLDEST_OPSET = 7  # before it, Add and Mul did not broadcast as they do now

# Each returns the nodes that stand for one node, or None where it has nothing to do.
REWRITES: tuple[Rewrite, ...] = (
    decline_misread,
    explicit_pads,
    fold_pad,
    compare_for_indices,
    explicit_transposed_pads,
    split_conv_transpose,
    gather_resize,
    slice_inputs,
    compare_one_hot,
    explicit_thresholds,
    pow_of_one_type,
    equal_truths,
    signed_is_inf,
    drop_nothing,
    divide_by_norm,
    expand_layer_normalization,
    fold_shape,
    unpool_to_own_size,
    expand_celu,
    expand_hard_sigmoid,
    expand_hard_swish,
)


def normal_form(model: onnx.ModelProto) -> onnx.ModelProto:
    """Returns a rewritten copy that computes the same; its inputs have fixed shapes.

    Raises:
        ModelError: a node has no meaning, or none that TVM follows; it is named.
    """
    for output in model.graph.output:
        if output.type.WhichOneof("value") not in (None, "tensor_type"):
            raise ModelError(f"output '{output.name}': is not a tensor; only tensors are supported")
    new = onnx.ModelProto()
    new.CopyFrom(model)
    graph = OnnxGraph(new)
    if graph.opset < OLDEST_OPSET:
        return new
    nodes = [rewritten for node in new.graph.node for rewritten in _rewritten(graph, node)]
    nodes = _without_unused(nodes, {output.name for output in new.graph.output})
    del new.graph.node[:]
    new.graph.node.extend(nodes)
    return new


def _rewritten(graph: OnnxGraph, node: onnx.NodeProto) -> list[onnx.NodeProto]:
    nodes = [node] if node.domain in ("", "ai.onnx") else []
    with naming_node(node):
        for rewrite in REWRITES:
            nodes = [new for old in nodes for new in rewrite(graph, old) or [old]]
    return nodes or [node]


def _without_unused(nodes: list[onnx.NodeProto], results: set[str]) -> list[onnx.NodeProto]:
    """Drops the Pad nodes that nobody reads any more."""
    read = results | {name for node in nodes for name in node.input}
    return [node for node in nodes if node.op_type != "Pad" or node.output[0] in read]
