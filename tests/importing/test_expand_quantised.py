"""Expanded operators against ONNX Runtime's own of integers."""

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from tvm_patdnn.importing.expand_quantised import expand_quantised

SHAPE = (1, 4, 6, 6)
RANDOM = np.random.default_rng(0)
U8, F32 = np.uint8, np.float32

ACTIVATION = {"scale": F32(0.03), "zero": U8(9)}
HALF = {"scale": np.float16(0.03), "zero": U8(9)}
RESULT = {"result_scale": F32(0.05), "result_zero": U8(120)}
WEIGHT = {  # too small for sums of two products to saturate, as they do on some CPUs
    "weight": RANDOM.integers(-50, 50, (5, 4, 3, 3), np.int8),
    "weight_scale": RANDOM.uniform(0.01, 0.02, 5).astype(F32),
    "weight_zero": np.zeros(5, np.int8),
}
MATRIX = {
    "matrix": RANDOM.integers(-50, 50, (6, 7), np.int8),
    "matrix_scale": F32([0.02]),
    "matrix_zero": np.zeros(1, np.int8),
}
BIAS = {"bias": RANDOM.integers(-5000, 5000, 5).astype(np.int32)}
ROW = {"row": RANDOM.integers(-5000, 5000, 7).astype(np.int32)}


def model_of(op_type, *parts, shape=SHAPE, domain="com.microsoft", **attributes):
    """A model of one node; ``parts`` are its inputs: "x", or constants by name."""
    constants = {
        name: value for part in parts if isinstance(part, dict) for name, value in part.items()
    }
    inputs = [name for part in parts for name in ([part] if isinstance(part, str) else part)]
    domain = "" if op_type in ("QLinearConv", "QLinearMatMul") and domain != "elsewhere" else domain
    node = helper.make_node(op_type, inputs, ["y"], name="layer", domain=domain, **attributes)
    graph = helper.make_graph(
        [node],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, shape)],
        [helper.make_tensor_value_info("y", TensorProto.UINT8, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def run(model, data):
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"x": data})[0]


CASES = {
    "QLinearConv": model_of(
        "QLinearConv", "x", ACTIVATION, WEIGHT, RESULT, BIAS, pads=[1, 1, 1, 1]
    ),
    "QLinearConv without bias": model_of(
        "QLinearConv", "x", ACTIVATION, WEIGHT, RESULT, strides=[2, 2]
    ),
    "QLinearMatMul": model_of("QLinearMatMul", "x", ACTIVATION, MATRIX, RESULT),
    "QGemm": model_of("QGemm", "x", ACTIVATION, MATRIX, ROW, RESULT, shape=(3, 6)),
    "QLinearAdd": model_of("QLinearAdd", "x", ACTIVATION, "x", "scale", "zero", RESULT),
    "QLinearMul": model_of("QLinearMul", "x", ACTIVATION, "x", "scale", "zero", RESULT),
    "QLinearSigmoid": model_of("QLinearSigmoid", "x", ACTIVATION, RESULT),
    "QLinearLeakyRelu": model_of("QLinearLeakyRelu", "x", ACTIVATION, RESULT, alpha=0.2),
    "QLinearConcat": model_of(
        "QLinearConcat", RESULT, "x", ACTIVATION, "x", "result_scale", "zero", axis=1
    ),
    "QLinearGlobalAveragePool": model_of(
        "QLinearGlobalAveragePool", "x", ACTIVATION, RESULT, channels_last=0
    ),
    "QLinearAveragePool": model_of(
        "QLinearAveragePool", "x", ACTIVATION, RESULT, kernel_shape=[2, 2]
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_same_integers(name):
    model = CASES[name]
    shape = [dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim]
    data = RANDOM.integers(0, 256, shape, np.uint8)
    expanded = expand_quantised(model)
    assert {node.op_type for node in expanded.graph.node} >= {"DequantizeLinear", "QuantizeLinear"}
    expected, found = run(model, data), run(expanded, data)
    apart = np.abs(found.astype(int) - expected.astype(int))
    assert np.unique(expected).size >= 3
    assert apart.max() <= 1
    assert (apart > 0).mean() < 0.03


def test_the_operator_on_numbers_has_the_name():
    nodes = expand_quantised(CASES["QLinearConv"]).graph.node
    assert [node.op_type for node in nodes if node.name == "layer"] == ["Conv"]


def test_the_model_is_left_as_it_is():
    model = CASES["QLinearConv"]
    before = model.SerializeToString()
    expand_quantised(model)
    assert model.SerializeToString() == before


@pytest.mark.parametrize(
    "model",
    [
        model_of(
            "QLinearAveragePool", "x", ACTIVATION, RESULT, kernel_shape=[2, 2], channels_last=1
        ),
        model_of("QGemm", "x", ACTIVATION, MATRIX, ROW, RESULT, shape=(3, 6), alpha=2.0),
        model_of("QLinearConv", "x", ACTIVATION, WEIGHT, RESULT, domain="elsewhere"),
        model_of("QLinearMatMul", "x", HALF, MATRIX, RESULT),
    ],
)
def test_others_stay(model):
    assert [node.op_type for node in expand_quantised(model).graph.node] == [
        model.graph.node[0].op_type
    ]


def test_a_product_without_a_scale_of_its_result_is_numbers():
    model = model_of("QGemm", "x", ACTIVATION, MATRIX, ROW, shape=(3, 6))
    expanded = expand_quantised(model)
    assert expanded.graph.node[-1].op_type == "Identity"
    model.graph.output[0].type.tensor_type.elem_type = TensorProto.FLOAT
    expanded.graph.output[0].type.tensor_type.elem_type = TensorProto.FLOAT
    data = RANDOM.integers(0, 256, (3, 6), np.uint8)
    np.testing.assert_allclose(run(expanded, data), run(model, data), rtol=1e-5, atol=1e-5)
