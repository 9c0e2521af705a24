"""Rewrites of single operators, built, against ONNX Runtime."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

import tvm_patdnn
from tvm_patdnn.errors import ModelError
from tvm_patdnn.importing.onnx_normal_form import normal_form

RANDOM = np.random.default_rng(5)


def model_of(op_type, inputs, *, weights=None, outputs=("y",), types=None, opset=17, **given):
    """A model of one node; inputs and weights by name, in the order of the node's inputs."""
    weights = weights or {}
    node = helper.make_node(op_type, [*inputs, *weights], outputs, name="node", **given)
    values = [
        helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape
        )
        for name, value in inputs.items()
    ]
    types = types or [TensorProto.FLOAT] * len(outputs)
    results = [
        helper.make_tensor_value_info(name, element_type, None)
        for name, element_type in zip(outputs, types, strict=True)
    ]
    stored = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph([node], "graph", values, results, stored)
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", opset)])


def check(model, inputs):
    """Checks all outputs against ONNX Runtime's."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    right = session.run(None, inputs)
    got = tvm_patdnn.build(model).run(inputs)
    for value, expected in zip(got.values(), right, strict=True):
        assert (value.dtype, value.shape) == (expected.dtype, expected.shape)
        np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-5)


def data(*shape):
    return RANDOM.standard_normal(shape).astype(np.float32)


INT64, BOOL = TensorProto.INT64, TensorProto.BOOL


@pytest.mark.parametrize(
    "given",
    [
        {"kernel_shape": [2, 2], "strides": [2, 2]},
        {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "strides": [2, 1]},
        {"kernel_shape": [3, 2], "dilations": [2, 1], "storage_order": 1},
        {"kernel_shape": [2, 3], "auto_pad": "SAME_UPPER", "strides": [2, 2]},
        {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1},
    ],
    ids=str,
)
def test_max_pool_with_indices(given):
    x = data(2, 3, 8, 9)
    types = [TensorProto.FLOAT, INT64]
    check(model_of("MaxPool", {"x": x}, outputs=("y", "i"), types=types, **given), {"x": x})


@pytest.mark.parametrize(
    "given",
    [
        {"output_shape": [9, 12]},
        {"output_shape": [8, 11], "strides": [2, 2]},
        {"auto_pad": "SAME_UPPER", "strides": [2, 2]},
        {"auto_pad": "SAME_LOWER", "strides": [2, 2], "output_shape": [9, 12]},
        {"auto_pad": "VALID"},
    ],
    ids=str,
)
def test_transposed_convolutions_of_a_given_output(given):
    x, w = data(1, 3, 4, 5), data(3, 2, 6, 8)
    check(model_of("ConvTranspose", {"x": x}, weights={"w": w}, **given), {"x": x})


@pytest.mark.parametrize("axis", [-1, 0, 1])
@pytest.mark.parametrize("dtype", [np.float32, np.int64])
def test_one_hot(axis, dtype):
    x = np.array([[1, 3, -1], [4, -5, 9]])
    weights = {"depth": np.array(5), "values": np.array([2, 7], dtype)}
    types = [helper.np_dtype_to_tensor_dtype(np.dtype(dtype))]
    check(model_of("OneHot", {"x": x}, weights=weights, types=types, axis=axis), {"x": x})


@pytest.mark.parametrize("given", [(0, 1), (1, 0), (1, 1), (0, 0)], ids=str)
def test_infinities_of_one_sign(given):
    x = np.array([np.inf, -np.inf, np.nan, 1], np.float32)
    signs = dict(zip(("detect_negative", "detect_positive"), given, strict=True))
    check(model_of("IsInf", {"x": x}, types=[BOOL], **signs), {"x": x})


@pytest.mark.parametrize("opset", [7, 11, 17])
def test_equal_truth_values(opset):
    inputs = {"a": data(3, 1, 5) > 0, "b": data(4, 5) > 0}
    check(model_of("Equal", inputs, types=[TensorProto.BOOL], opset=opset), inputs)


@pytest.mark.parametrize("types", ["fi", "fl", "fd", "ff", "ll", "if"], ids=str)
def test_powers_of_mixed_types(types):
    names = {"f": np.float32, "i": np.int32, "l": np.int64, "d": np.float64}
    x, y = (np.array([1, 2, 3]).astype(names[t]) for t in types)
    types = [helper.np_dtype_to_tensor_dtype(x.dtype)]
    inputs = {"base": x, "exponent": y}
    check(model_of("Pow", inputs, types=types), inputs)


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("opset", [17, 18])
def test_lp_normalization(p, opset):
    x = data(2, 3, 4)
    check(model_of("LpNormalization", {"x": x}, p=p, axis=1, opset=opset), {"x": x})


@pytest.mark.parametrize("opset", [17, 18])
@pytest.mark.parametrize("axis", [-1, 1])
def test_layer_normalization_and_its_statistics(axis, opset):
    x = data(2, 3, 4)
    shape = x.shape[axis:]
    weights = {"w": data(*shape), "b": data(*shape)}
    outputs = {"outputs": ("y", "m", "s"), "axis": axis, "opset": opset}
    check(model_of("LayerNormalization", {"x": x}, weights=weights, **outputs), {"x": x})


@pytest.mark.parametrize("opset", [10, 12, 17])
def test_the_mask_of_a_dropout(opset):
    x = data(2, 3)
    types = [TensorProto.FLOAT, BOOL]
    check(model_of("Dropout", {"x": x}, outputs=("y", "m"), types=types, opset=opset), {"x": x})


def unpool(output_shape, **given):
    x = data(1, 2, 3, 4)
    indices = np.stack([np.arange(12).reshape(3, 4) * 4 + c for c in range(2)])[None]
    weights = {"i": indices, "shape": np.array(output_shape)} if output_shape else {"i": indices}
    return model_of("MaxUnpool", {"x": x}, weights=weights, kernel_shape=[2, 2], **given), {"x": x}


@pytest.mark.parametrize("output_shape", [None, (1, 2, 6, 8)])
def test_unpooled_maxima(output_shape):
    check(*unpool(output_shape, strides=[2, 2]))


def test_unpooling_to_another_size_is_declined():
    model, _ = unpool((1, 2, 7, 9), strides=[2, 2])
    said = r"'node' \(MaxUnpool\): shape \[1, 2, 7, 9\] is asked for, expected \[1, 2, 6, 8\]"
    with pytest.raises(ModelError, match=said):
        tvm_patdnn.build(model)


def test_celu():
    x = data(3, 4)
    check(model_of("Celu", {"x": x}, alpha=1.5), {"x": x})


@pytest.mark.parametrize("opset", [7, 9, 13])
def test_slices(opset):
    x = data(4, 5, 6)
    if opset < 10:
        model = model_of("Slice", {"x": x}, opset=opset, starts=[1, -3], ends=[9, -1], axes=[2, 0])
    else:
        bounds = {"s": np.array([1, -3]), "e": np.array([9, -1]), "a": np.array([2, 0])}
        model = model_of("Slice", {"x": x}, weights=bounds, opset=opset)
    check(model, {"x": x})


def test_shapes_and_numbers_without_an_axis():
    x = data(2, 3)
    check(model_of("Shape", {"x": x}, types=[INT64]), {"x": x})
    scalar = np.array(1.5, np.float32)
    check(model_of("Relu", {"x": scalar}), {"x": scalar})


@pytest.mark.parametrize("largest", [0, 1])
def test_top_k(largest):
    x = RANDOM.permutation(60).reshape(3, 20).astype(np.float32)
    types = [TensorProto.FLOAT, INT64]
    weights = {"k": np.array([4])}
    given = {"outputs": ("v", "i"), "types": types, "largest": largest}
    check(model_of("TopK", {"x": x}, weights=weights, **given), {"x": x})


@pytest.mark.parametrize("given", [{}, {"exclusive": 1}, {"reverse": 1}], ids=str)
def test_running_sums(given):
    x = data(3, 7)
    check(model_of("CumSum", {"x": x}, weights={"axis": np.array(1)}, **given), {"x": x})


@pytest.mark.parametrize(
    "limits",
    [{}, {"m": [3]}, {"m": [3], "iou": [0.5]}, {"m": [2], "iou": [0.3], "score": [0.2]}],
    ids=str,
)
@pytest.mark.parametrize("centres", [0, 1])
def test_non_max_suppression(centres, limits):
    """Corners in any order, and scores below zero."""
    inputs = {"boxes": data(1, 12, 4), "scores": data(1, 2, 12)}
    if centres:
        inputs["boxes"] = np.abs(inputs["boxes"])
    weights = {k: np.array(v, np.int64 if k == "m" else np.float32) for k, v in limits.items()}
    given = {"types": [INT64], "center_point_box": centres}
    check(model_of("NonMaxSuppression", inputs, weights=weights, **given), inputs)


def with_run_time_threshold():
    inputs = {"b": F32[:1, 0], "s": F32[:1, :1, 0], "i": F32[0, 0, 0, :1]}
    model = model_of("NonMaxSuppression", inputs, weights={"m": np.array([3])}, types=[INT64])
    model.graph.node[0].input[2:] = ["m", "i"]
    return model


F32 = np.zeros((2, 3, 4, 4), np.float32)
DECLINED = {
    "training mode": model_of(
        "BatchNormalization",
        {"x": F32},
        weights={name: np.ones(3, np.float32) for name in "abcd"},
        outputs=("y", "m", "v"),
        training_mode=1,
    ),
    "computed while the model runs, but kernels": model_of(
        "Expand", {"x": F32, "s": np.array([2, 3, 4, 4])}
    ),
    "its depth is computed": model_of(
        "OneHot", {"x": np.zeros(3, np.int64), "d": np.array(3), "v": F32[0, 0, 0, :2]}
    ),
    "its iou_threshold is computed": with_run_time_threshold(),
    "has the mode 'max'; only 'avg'": model_of(
        "RoiAlign",
        {"x": F32, "r": F32[0, 0], "b": np.zeros(4, np.int64)},
        mode="max",
    ),
    "has elements of BFLOAT16": model_of("Cast", {"x": F32}, types=[16], to=16),
    "has fmod=0 with floating": model_of("Mod", {"x": F32, "y": F32}),
    "reduces bool": model_of(
        "ReduceMax", {"x": F32 > 0}, weights={"a": np.array([1])}, types=[BOOL], opset=20
    ),
    "shifts by 9 to 9 bits": model_of(
        "BitShift",
        {"x": np.zeros(1, np.uint8)},
        weights={"s": np.full(1, 9, np.uint8)},
        types=[TensorProto.UINT8],
        direction="LEFT",
    ),
    "sorts UINT64": model_of(
        "TopK",
        {"x": np.zeros(4, np.uint64)},
        weights={"k": np.array([2])},
        outputs=("v", "i"),
        types=[TensorProto.UINT64, INT64],
    ),
}


@pytest.mark.parametrize("message", DECLINED)
def test_what_cannot_be_right_is_declined(message):
    with pytest.raises(ModelError) as caught:
        normal_form(DECLINED[message])
    assert "'node'" in str(caught.value)
    assert message in str(caught.value)


def test_a_dropout_in_training_mode_is_declined():
    weights = {"ratio": np.array(0.5, np.float32), "training": np.array(True)}
    with pytest.raises(ModelError, match="'node' (.*): is in training mode, in which results are"):
        normal_form(model_of("Dropout", {"x": F32}, weights=weights))


def test_outputs_that_are_no_tensors_are_declined():
    model = model_of("SequenceConstruct", {"x": F32})
    element = onnx.helper.make_tensor_type_proto(TensorProto.FLOAT, None)
    model.graph.output[0].type.CopyFrom(onnx.helper.make_sequence_type_proto(element))
    with pytest.raises(ModelError, match="output 'y': is not a tensor"):
        normal_form(model)
