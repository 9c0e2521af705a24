"""Compares what we build from whole networks with ONNX Runtime on the same ONNX."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

import tvm_patdnn
from models.export import export_onnx, make_network
from tests.model_zoo import ZOO, sample_inputs

__all__ = ["OURS", "Network", "Outcome", "compare", "compare_model", "network"]

# Our own definitions with random weights; small images where the definition allows them.
OURS: Mapping[str, tuple[str, Sequence[int]]] = {
    "vgg16": ("models.vgg:vgg16", (1, 3, 64, 64)),
    "resnet18": ("models.resnet:resnet18", (1, 3, 64, 64)),
    "resnet50": ("models.resnet:resnet50", (1, 3, 64, 64)),
    "mobilenet-v2": ("models.mobilenet:mobilenet_v2", (1, 3, 96, 96)),
}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a model came out.

    Attributes:
        errors: by output: the largest absolute error, relative to the output's maximum.
        kernels: how many layers are computed by each kind of kernel.
    """

    errors: Mapping[str, float]
    kernels: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Network:
    """A model, what to feed it, and the shapes to build it for."""

    model: onnx.ModelProto
    inputs: Mapping[str, np.ndarray]
    shapes: Mapping[str, Sequence[int]]


def network(name: str, path: Path | None, pruned: bool) -> Network:
    """Reads a model of ``ZOO``, which lies at ``path``, or makes one of ``OURS``.

    Args:
        pruned: prune it with the default options.
    """
    if path is not None:
        model, inputs = onnx.load(path), sample_inputs(name)
        shapes = ZOO[name].input_shapes
    else:
        factory, shape = OURS[name]
        model = export_onnx(make_network(factory, input_shape=shape), shape)
        inputs = {"x": np.random.default_rng(0).standard_normal(shape).astype(np.float32)}
        shapes = {}
    model = with_scores(tvm_patdnn.prune_onnx(model) if pruned else model)
    return Network(model=model, inputs=inputs, shapes=shapes)


def compare(name: str, path: Path | None, pruned: bool) -> Outcome:
    """Builds ``network``, runs it, and compares."""
    found = network(name, path, pruned)
    return compare_model(found.model, found.inputs, found.shapes)


def with_scores(model: onnx.ModelProto) -> onnx.ModelProto:
    """Returns the model with what its last softmax or sigmoid is applied to as a result, too.

    Probabilities close to 0 and 1 would not show an error.
    """
    results = {value.name for value in model.graph.output}
    scored = onnx.ModelProto()
    scored.CopyFrom(model)
    for node in model.graph.node:
        if node.op_type in ("Softmax", "Sigmoid") and node.output[0] in results:
            scored.graph.output.append(
                onnx.helper.make_tensor_value_info(node.input[0], onnx.TensorProto.FLOAT, None)
            )
    return scored


def compare_model(
    model: onnx.ModelProto,
    inputs: Mapping[str, np.ndarray],
    shapes: Mapping[str, Sequence[int]],
) -> Outcome:
    """Builds a model, runs it and compares every output."""
    library = tvm_patdnn.build(model, input_shapes=shapes)
    outputs = library.run(inputs)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    expected = dict(
        zip((o.name for o in session.get_outputs()), session.run(None, inputs), strict=True)
    )
    if outputs.keys() != expected.keys():
        raise AssertionError(f"outputs {sorted(outputs)}, expected {sorted(expected)}")
    if not any(value.any() for value in expected.values()):
        raise AssertionError("the reference is 0 everywhere: it shows nothing")
    return Outcome(
        errors={name: relative_error(outputs[name], expected[name]) for name in expected},
        kernels=_counted(layer.kernel for layer in library.report),
    )


def relative_error(value: np.ndarray, expected: np.ndarray) -> float:
    """The largest absolute error, relative to the largest expected value; NaN counts as one.

    Where 0 is expected everywhere, as of a probability that vanishes, it is the error itself.
    """
    if value.shape != expected.shape:
        raise AssertionError(f"shape {value.shape}, expected {expected.shape}")
    scale = float(np.abs(expected).max())
    if not np.isfinite(scale):
        raise AssertionError(f"the reference reaches {scale}: it shows nothing")
    return float(np.abs(value - expected).max() / (scale or 1))


def _counted(kinds: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for kind in kinds:
        found[kind] = found.get(kind, 0) + 1
    return found
