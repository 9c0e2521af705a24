import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper

from tests.onnx_models import model_of
from tvm_patdnn.errors import ModelError
from tvm_patdnn.importing.onnx_normal_form import normal_form

INPUTS = {"x": (2, 4, 9, 12)}


def random_array(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def run(model: onnx.ModelProto) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # rewritten models keep constants that nobody reads
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    shape = session.get_inputs()[0].shape
    return session.run(None, {"x": 3 * random_array(*shape, seed=9)})[0]


def rewritten(nodes, *, weights=None, inputs=None, opset: int = 17) -> onnx.ModelProto:
    """Checks that the model is left as it is, and that its numbers stay."""
    model = model_of(nodes, inputs=inputs or INPUTS, weights=weights)
    model.opset_import[0].version = opset
    before = model.SerializeToString(deterministic=True)
    new = normal_form(model)
    assert model.SerializeToString(deterministic=True) == before
    onnx.checker.check_model(onnx.shape_inference.infer_shapes(new), full_check=True)
    np.testing.assert_allclose(run(new), run(model), rtol=1e-4, atol=1e-4)
    assert ops(normal_form(new)) == ops(new)
    return new


def ops(model: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


def pads_of(model: onnx.ModelProto) -> list[int]:
    (pads,) = [a for a in model.graph.node[-1].attribute if a.name == "pads"]
    assert "auto_pad" not in [a.name for a in model.graph.node[-1].attribute]
    return list(pads.ints)


@pytest.mark.parametrize(
    ("mode", "strides", "expected"),
    [
        ("SAME_UPPER", [1, 1], [1, 1, 1, 2]),
        ("SAME_LOWER", [1, 1], [1, 2, 1, 1]),
        ("SAME_UPPER", [2, 2], [1, 1, 1, 1]),
        ("SAME_UPPER", [4, 5], [1, 1, 1, 1]),
        ("SAME_UPPER", [4, 4], [1, 0, 1, 0]),
        ("VALID", [1, 1], [0, 0, 0, 0]),
    ],
)
def test_auto_pad_of_a_convolution(mode, strides, expected):
    node = helper.make_node("Conv", ["x", "w"], ["y"], auto_pad=mode, strides=strides)
    assert pads_of(rewritten([node], weights={"w": random_array(5, 4, 3, 4)})) == expected


@pytest.mark.parametrize("op_type", ["MaxPool", "AveragePool"])
@pytest.mark.parametrize("mode", ["SAME_UPPER", "SAME_LOWER", "VALID"])
def test_auto_pad_of_a_pooling(op_type, mode):
    node = helper.make_node(
        op_type, ["x"], ["y"], auto_pad=mode, kernel_shape=[3, 2], strides=[2, 1]
    )
    pads_of(rewritten([node]))


@pytest.mark.parametrize("mode", ["SAME_UPPER", "SAME_LOWER"])
def test_auto_pad_where_the_stride_leaves_out_the_last_values(mode):
    node = helper.make_node("Conv", ["x", "w"], ["y"], auto_pad=mode, strides=[2, 2])
    assert pads_of(rewritten([node], weights={"w": random_array(5, 4, 1, 1)})) == [0, 0, 0, 0]


@pytest.mark.parametrize("mode", ["SAME_UPPER", "SAME_LOWER"])
@pytest.mark.parametrize("kernel", [(1, 1), (2, 3), (3, 2)])
@pytest.mark.parametrize("strides", [[9, 12], [11, 13], [5, 12]], ids=str)
def test_auto_pad_where_the_stride_leaves_out_the_first_values(strides, kernel, mode):
    node = helper.make_node("Conv", ["x", "w"], ["y"], auto_pad=mode, strides=strides)
    new = rewritten([node], weights={"w": random_array(5, 4, *kernel)})
    assert ops(new) == ["Slice", "Conv"]


@pytest.mark.parametrize("op_type", ["MaxPool", "AveragePool"])
def test_poolings_that_leave_out_the_first_values_are_declined(op_type):
    given = {"kernel_shape": [2, 3], "strides": [9, 12], "auto_pad": "SAME_UPPER"}
    node = helper.make_node(op_type, ["x"], ["y"], name="pool", **given)
    with pytest.raises(ModelError, match="'pool' (.*): auto_pad SAME_UPPER with strides .9, 12.*"):
        normal_form(model_of([node], inputs=INPUTS))


def test_auto_pad_of_a_dilated_pooling():
    given = {"auto_pad": "SAME_LOWER", "dilations": [2, 3], "kernel_shape": [3, 2]}
    pads_of(rewritten([helper.make_node("MaxPool", ["x"], ["y"], **given)]))


def test_auto_pad_of_a_dilated_convolution():
    """Which ONNX Runtime declines."""
    node = helper.make_node("Conv", ["x", "w"], ["y"], auto_pad="SAME_UPPER", dilations=[2, 3])
    model = model_of([node], inputs=INPUTS, weights={"w": random_array(5, 4, 3, 2)})
    assert pads_of(normal_form(model)) == [2, 1, 2, 2]


def padded(pads, *, mode="constant", value=0.0, opset=17, reader="Conv"):
    """A Pad and what reads it."""
    weights = {"w": random_array(5, 4, 3, 3)}
    if opset >= 11:
        weights |= {"pads": np.array(pads), "value": np.array(value, np.float32)}
        pad = helper.make_node("Pad", ["x", "pads", "value"], ["p"], mode=mode)
    else:
        pad = helper.make_node("Pad", ["x"], ["p"], mode=mode, pads=pads, value=value)
    read = helper.make_node(reader, ["p", "w"] if reader == "Conv" else ["p"], ["y"])
    if reader == "Conv":
        read.attribute.append(helper.make_attribute("pads", [0, 1, 0, 0]))
    return rewritten([pad, read], weights=weights, opset=opset)


@pytest.mark.parametrize("opset", [9, 17])
def test_zeros_around_a_convolutions_planes_are_its_padding(opset):
    new = padded([0, 0, 1, 2, 0, 0, 3, 4], opset=opset)
    assert ops(new) == ["Conv"]
    assert pads_of(new) == [1, 3, 3, 4]


@pytest.mark.parametrize(
    "other",
    [
        {"mode": "reflect"},
        {"value": 1.0},
        {"reader": "Relu"},
        {"pads": [0, 0, -1, 0, 0, 0, 0, 0]},
        {"pads": [1, 0, 0, 0, 0, 0, 0, 0]},
    ],
    ids=str,
)
def test_other_padding_is_left(other):
    assert ops(padded(**{"pads": [0, 0, 1, 1, 0, 0, 1, 1], **other}))[0] == "Pad"


def test_padding_that_is_read_twice_is_left():
    weights = {"w": random_array(5, 4, 3, 3), "pads": np.array([0, 0, 1, 1, 0, 0, 1, 1])}
    nodes = [
        helper.make_node("Pad", ["x", "pads"], ["p"]),
        helper.make_node("Conv", ["p", "w"], ["a"]),
        helper.make_node("ReduceSum", ["p"], ["b"]),
        helper.make_node("Add", ["a", "b"], ["y"]),
    ]
    assert ops(rewritten(nodes, weights=weights)) == ["Pad", "Conv", "ReduceSum", "Add"]


@pytest.mark.parametrize("opset", [9, 17])
def test_hard_sigmoid(opset):
    node = helper.make_node("HardSigmoid", ["x"], ["y"], alpha=0.3)
    new = rewritten([node], opset=opset)
    assert ops(new) == ["Mul", "Add", "Clip"]
    assert all(len(number.dims) == 0 for number in new.graph.initializer)


def test_hard_swish():
    node = helper.make_node("HardSwish", ["x"], ["y"])
    assert ops(rewritten([node])) == ["Mul", "Add", "Clip", "Mul"]


def transposed(
    kernel: int, stride: int, pad: int = 0, extra: int = 0, *, group: int = 1, opset: int = 17
) -> onnx.ModelProto:
    node = helper.make_node(
        "ConvTranspose",
        ["x", "up.weight", "b"],
        ["y"],
        strides=[stride, stride],
        pads=[pad] * 4,
        output_padding=[extra, extra],
        group=group,
    )
    weights = {"up.weight": random_array(4, 3, kernel, kernel), "b": random_array(3 * group)}
    return rewritten([node], weights=weights, opset=opset)


@pytest.mark.parametrize("group", [1, 2])
@pytest.mark.parametrize(
    "geometry", [(2, 2), (3, 3), (4, 2, 1), (3, 2, 1, 1), (5, 2, 2, 1), (5, 3, 1), (8, 4, 2)]
)
def test_transposed_convolutions_are_convolutions(geometry, group):
    new = transposed(*geometry, group=group)
    assert ops(new) == ["Conv", "Reshape", "Transpose", "Reshape"]
    assert new.graph.node[0].input[1] == "up.phases.weight"


def test_transposed_convolutions_of_older_operator_sets():
    assert ops(transposed(2, 2, opset=9))[0] == "Conv"


def test_phases_of_a_transposed_convolution_are_patterns_of_its_taps():
    new = transposed(4, 2, 1)
    weight = next(t for t in new.graph.initializer if t.name == "up.phases.weight")
    values = onnx.numpy_helper.to_array(weight)
    assert values.shape == (12, 4, 3, 3)
    assert set(np.count_nonzero(values, axis=(2, 3)).reshape(-1)) == {4}


@pytest.mark.parametrize("geometry", [(4, 2, 3), (4, 2, 0), (6, 3, 3), (5, 3, 4)])
def test_an_output_of_whole_blocks_is_not_cut(geometry):
    assert ops(transposed(*geometry)) == ["Conv", "Reshape", "Transpose", "Reshape"]


@pytest.mark.parametrize("geometry", [(3, 2, 1), (6, 3, 1), (2, 3), (2, 2, 2), (7, 2, 1)])
def test_outputs_of_other_sizes_are_cut(geometry):
    assert ops(transposed(*geometry)) == ["Conv", "Reshape", "Transpose", "Reshape", "Slice"]


def test_other_transposed_convolutions_are_left():
    assert ops(transposed(3, 1, 1)) == ["ConvTranspose"]
    assert ops(transposed(3, 2, 1, opset=9)) == ["ConvTranspose"]
    assert ops(transposed(2, 10)) == ["ConvTranspose"]  # its phases have 25 times the weight


def test_operators_of_the_same_name_in_another_domain_are_left():
    node = helper.make_node("HardSwish", ["x"], ["y"], domain="my.ops")
    model = model_of([node], inputs=INPUTS)
    model.opset_import.append(helper.make_opsetid("my.ops", 1))
    assert ops(normal_form(model)) == ["HardSwish"]


def test_old_operator_sets_are_left():
    model = model_of([helper.make_node("HardSigmoid", ["x"], ["y"])], inputs=INPUTS)
    model.opset_import[0].version = 6
    assert normal_form(model) == model
