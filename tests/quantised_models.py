"""Networks quantised by onnxruntime.quantization, and ONNX Runtime's numbers for them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

__all__ = ["QUANTISED", "quantised", "run_exactly", "small_network", "units"]

SHAPE = (1, 3, 32, 32)


class _Batches(CalibrationDataReader):
    def __init__(self, name: str, batches: Sequence[np.ndarray]) -> None:
        self._batches = iter([{name: batch} for batch in batches])

    def get_next(self) -> Mapping[str, np.ndarray] | None:
        return next(self._batches, None)


class _Network:
    """Builds a network of random weights, layer by layer."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[TensorProto] = []
        self._random = np.random.default_rng(0)

    def add(self, op_type: str, inputs: Sequence[str], **options) -> str:
        result = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(op_type, inputs, [result], name=result, **options))
        return result

    def weight(self, *shape: int) -> str:
        value = self._random.standard_normal(shape, np.float32) / np.sqrt(np.prod(shape[1:]) or 1)
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(value.astype(np.float32), name))
        return name

    def conv(
        self, x: str, in_c: int, out_c: int, size: int, *, relu: bool = True, **options
    ) -> str:
        group = options.get("group", 1)
        pads = [size // 2] * 4
        weights = [self.weight(out_c, in_c // group, size, size), self.weight(out_c)]
        result = self.add("Conv", [x, *weights], pads=pads, **options)
        return self.add("Relu", [result]) if relu else result


def small_network() -> onnx.ModelProto:
    """A network with every operator that has an int8 kernel."""
    net = _Network()
    stem = net.conv("x", 3, 16, 7, strides=[2, 2])
    pooled = net.add("MaxPool", [stem], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    inner = net.conv(net.conv(pooled, 16, 16, 3), 16, 16, 3, relu=False)
    block = net.add("Relu", [net.add("Add", [inner, pooled])])
    depthwise = net.conv(net.conv(block, 16, 24, 1), 24, 24, 3, group=24)
    down = net.conv(depthwise, 24, 16, 3, strides=[2, 2], relu=False)
    averaged = net.add("AveragePool", [block], kernel_shape=[2, 2], strides=[2, 2])
    both = net.add("Add", [down, averaged])
    roi, scales = "", "scales"
    net.weights.append(numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), scales))
    options = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric"}
    larger = net.add("Resize", [both, roi, scales], nearest_mode="floor", **options)
    joined = net.conv(net.add("Concat", [larger, block], axis=1), 32, 20, 1)
    mean = net.add("Flatten", [net.add("GlobalAveragePool", [joined])])
    net.add("Gemm", [mean, net.weight(10, 20), net.weight(10)], transB=1)
    net.nodes[-1].output[0] = "y"
    graph = helper.make_graph(
        net.nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, SHAPE)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (1, 10))],
        net.weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


QUANTISED: Mapping[str, Mapping[str, object]] = {
    "QDQ": {},
    "QOperator": {"quant_format": QuantFormat.QOperator},
    "int8 activations": {"activation_type": QuantType.QInt8},
    "a scale for all filters": {"per_channel": False},
}


@cache
def quantised(name: str = "QDQ") -> onnx.ModelProto:
    """``small_network``, quantised as ``QUANTISED`` says."""
    return _quantised(small_network(), **QUANTISED[name])


def _quantised(model: onnx.ModelProto, **options) -> onnx.ModelProto:
    random = np.random.default_rng(1)
    batches = [random.standard_normal(SHAPE, np.float32) for _ in range(4)]
    chosen = {"per_channel": True, "activation_type": QuantType.QUInt8, **options}
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "quantised.onnx"
        quantize_static(model, target, _Batches("x", batches), **chosen)
        return onnx.load(target)


def run_exactly(model: onnx.ModelProto, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Runs a model as its nodes say, in float32.

    Optimised, ONNX Runtime multiplies bytes: on CPUs without dot products of bytes its sums of two
    products saturate.
    """
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, dict(inputs)), strict=True))


def units(model: onnx.ModelProto) -> tuple[onnx.ModelProto, onnx.ModelProto]:
    """Cuts a QDQ model at each QuantizeLinear.

    Returns:
        The model with the results of these as further outputs; and the cut one, in which they are
        inputs of that name, and outputs of that name and "_made".
    """
    whole, cut = onnx.ModelProto(), onnx.ModelProto()
    whole.CopyFrom(model)
    cut.CopyFrom(model)
    shapes = {v.name: v.type for v in onnx.shape_inference.infer_shapes(model).graph.value_info}
    del cut.graph.output[:]
    for node in cut.graph.node:
        if node.op_type != "QuantizeLinear":
            continue
        (name,) = node.output
        node.output[0] = f"{name}_made"
        whole.graph.output.append(onnx.ValueInfoProto(name=name, type=shapes[name]))
        cut.graph.output.append(onnx.ValueInfoProto(name=f"{name}_made", type=shapes[name]))
        cut.graph.input.append(onnx.ValueInfoProto(name=name, type=shapes[name]))
    return whole, cut
