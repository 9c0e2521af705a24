"""Computes what an ONNX graph computes from constants and from shapes.

TVM's importer needs it: it wants the sizes of a Reshape or an Expand as constants, while
exporters write them as chains of Shape, Gather, Concat and the like.

Before:  Reshape(x, Concat(Gather(Shape(x), 0), [-1]))
After:   Reshape(x, [2, -1]), where x is known to have two rows
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from tvm_patdnn.importing.inline_branches import inline_branches
from tvm_patdnn.importing.onnx_constants import array_of, constant_tensors
from tvm_patdnn.importing.onnx_inference import Types, infer_types, static_shape

__all__ = ["LARGEST_FOLDED", "fold_constants"]

_LOG = logging.getLogger(__name__)

LARGEST_FOLDED = 2**24  # elements; what is larger is computed as the network runs

# Those that the reference evaluator computes by numpy, rather than by loops in Python.
_MOVEMENT = frozenset(
    {"Concat", "ConstantOfShape", "Compress", "Expand", "EyeLike", "Flatten", "Gather"}
    | {"GatherElements", "GatherND", "Identity", "NonZero", "OneHot", "Pad", "Range", "Reshape"}
    | {"ScatterElements", "ScatterND", "Slice", "Split", "Squeeze", "Tile", "Transpose", "Trilu"}
    | {"Unsqueeze", "Where"}
)
_ARITHMETIC = frozenset(
    {"Abs", "Add", "And", "ArgMax", "ArgMin", "Cast", "CastLike", "Ceil", "Clip", "Cos", "CumSum"}
    | {"Div", "Equal", "Exp", "Floor", "Greater", "GreaterOrEqual", "IsInf", "IsNaN", "Less"}
    | {"LessOrEqual", "Log", "MatMul", "Max", "Min", "Mod", "Mul", "Neg", "Not", "Or", "Pow"}
    | {
        "QuantizeLinear",
        "Reciprocal",
        "ReduceMax",
        "ReduceMean",
        "ReduceMin",
        "ReduceProd",
        "ReduceSum",
        "Round",
    }
    | {"Sigmoid", "Sign", "Sin", "Sqrt", "Sub", "Sum", "Tanh", "Xor"}
)
_FOLDED = _MOVEMENT | _ARITHMETIC
_NO_LARGER_THAN_INPUTS = frozenset({"Compress", "NonZero"})  # their shapes are not inferred


def fold_constants(model: onnx.ModelProto) -> bool:
    """Makes a constant, in place, of what can be known; inputs have fixed shapes.

    Large results are left to the running network, and so is what cannot be computed here.

    Returns:
        Whether there was anything to fold.
    """
    rounds = 0
    while _fold_once(model) or inline_branches(model):
        rounds += 1
    return rounds > 0


def _fold_once(model: onnx.ModelProto) -> bool:
    """Folds in place; says whether another round may find more."""
    graph, types = model.graph, infer_types(model)
    tensors = constant_tensors(graph)
    opsets = {each.domain: each.version for each in model.opset_import}
    values: dict[str, np.ndarray] = {}
    kept, found = [], []
    for node in graph.node:
        results = _folded(node, tensors, values, types, opsets)
        if results is None:
            kept.append(node)
            continue
        names = [name for name in node.output if name]
        values.update(zip(names, results, strict=True))
        found += names
    del graph.node[:]
    graph.node.extend(kept)
    graph.initializer.extend(_stored(name, values[name]) for name in found)
    return bool(found)


def _stored(name: str, value: np.ndarray) -> onnx.TensorProto:
    return numpy_helper.from_array(np.asarray(value).copy(order="C"), name)


def _folded(
    node: onnx.NodeProto,
    tensors: Mapping[str, onnx.TensorProto],
    values: Mapping[str, np.ndarray],
    types: Types,
    opsets: Mapping[str, int],
) -> list[np.ndarray] | None:
    """Returns the outputs of a node; None if it has to be computed as the network runs."""
    if node.domain not in ("", "ai.onnx"):
        return None
    if node.op_type == "Constant":
        known = [tensors[name] for name in node.output if name in tensors]
        return [array_of(tensor) for tensor in known] or None
    if node.op_type in ("Shape", "Size") and node.input:
        return _of_shape(node, static_shape(types, node.input[0]))
    names = [name for name in node.input if name]
    if node.op_type not in _FOLDED or not all(name in values or name in tensors for name in names):
        return None
    if not _is_small(node, types):
        return None
    inputs = {n: values[n] if n in values else array_of(tensors[n]) for n in names}
    return _evaluated(node, inputs, opsets)


def _of_shape(node: onnx.NodeProto, shape: tuple[int, ...] | None) -> list[np.ndarray] | None:
    if shape is None:
        return None
    if node.op_type == "Size":
        return [np.array(math.prod(shape), np.int64)]
    given = {attribute.name: attribute.i for attribute in node.attribute}
    return [np.array(shape[given.get("start", 0) : given.get("end")], np.int64)]


def _is_small(node: onnx.NodeProto, types: Types) -> bool:
    bounding = node.input if node.op_type in _NO_LARGER_THAN_INPUTS else node.output
    shapes = [static_shape(types, name) for name in bounding if name]
    if any(shape is None or any(size < 0 for size in shape) for shape in shapes):
        return False
    return all(math.prod(shape) <= LARGEST_FOLDED for shape in shapes if shape is not None)


def _evaluated(
    node: onnx.NodeProto, inputs: Mapping[str, np.ndarray], opsets: Mapping[str, int]
) -> list[np.ndarray] | None:
    try:
        with np.errstate(all="ignore"):  # infinities and NaN are values like others
            results = ReferenceEvaluator(_alone(node, opsets)).run(None, dict(inputs))
    except Exception as error:  # it raises whatever numpy does
        _LOG.debug("%s is not folded: %s", helper.printable_node(node), error)
        return None
    return [np.asarray(result) for result in results]


def _alone(node: onnx.NodeProto, opsets: Mapping[str, int]) -> onnx.ModelProto:
    """Returns a model of one node: of a node by itself, the evaluator takes the newest version."""
    inputs = [onnx.ValueInfoProto(name=name) for name in dict.fromkeys(node.input) if name]
    outputs = [onnx.ValueInfoProto(name=name) for name in node.output if name]
    versions = [helper.make_opsetid(domain, version) for domain, version in opsets.items()]
    graph = helper.make_graph([node], "node", inputs, outputs)
    return helper.make_model(graph, opset_imports=versions)
