import numpy as np
import pytest
from onnx import helper

from tests.onnx_models import conv_model, conv_weight, model_of
from tvm_patdnn.importing.weight_names import layer_name, weight_names
from tvm_patdnn.sparse.weight_key import weight_key


@pytest.mark.parametrize(
    ("node", "weight", "expected"),
    [
        ("/layer1/conv1/Conv", "layer1.conv1.weight", "layer1.conv1"),
        ("conv_3", "onnx::Conv_193", "conv_3"),
        ("", "542", "542"),
        ("conv_3", "layer1.conv1.weight_DequantizeLinear_Output", "layer1.conv1"),
        ("", "ConvBnFusion_W_conv1.weight", "conv1"),
    ],
)
def test_layer_name(node, weight, expected):
    assert layer_name(helper.make_node("Conv", ["x", weight], ["y"], name=node)) == expected


def test_weights_in_initializers_and_constant_nodes():
    other = conv_weight(seed=1)[:, :, :1, :1].repeat(4, axis=1)[:, :4].copy()
    constant = helper.make_node("Constant", [], ["w"], value=_tensor(other))
    model = conv_model()
    model.graph.node.extend([constant, helper.make_node("Conv", ["y", "w"], ["z"], name="last")])
    names = weight_names(model)
    assert names == {weight_key(conv_weight()): "features.0", weight_key(other): "last"}


def test_matrices_are_found_transposed_too():
    matrix = np.arange(6, dtype=np.float32).reshape(2, 3)
    node = helper.make_node("MatMul", ["x", "fc.weight"], ["y"])
    model = model_of([node], inputs={"x": [1, 2]}, weights={"fc.weight": matrix})
    assert weight_names(model) == {weight_key(matrix): "fc", weight_key(matrix.T): "fc"}


def test_layers_that_lost_their_name_get_it_back_from_the_original():
    scale = np.ones(4, np.float32)
    norm = helper.make_node("BatchNormalization", ["y", "s", "s", "s", "s"], ["n"])
    original = conv_model()
    original.graph.node[1].op_type = "Identity"
    original.graph.node.append(norm)
    folded = model_of(
        [helper.make_node("Conv", ["x", "n_weight"], ["n"], name="n")],
        inputs={"x": [1, 3, 8, 8]},
        weights={"n_weight": conv_weight(seed=2), "s": scale},
    )
    assert weight_names(folded, original) == {weight_key(conv_weight(seed=2)): "features.0"}


@pytest.mark.parametrize("zero", [0, 3])
def test_weights_that_are_stored_as_integers(zero):
    integers = np.arange(108, dtype=np.int8).reshape(4, 3, 3, 3)
    scale = np.arange(1, 5, dtype=np.float32)
    weights = {"w": integers, "s": scale, "z": np.full(4, zero, np.int8)}
    nodes = [
        helper.make_node("DequantizeLinear", ["w", "s", "z"], ["n"], axis=0),
        helper.make_node("Conv", ["x", "n"], ["y"], name="stem"),
    ]
    model = model_of(nodes, inputs={"x": [1, 3, 8, 8]}, weights=weights)
    centred = integers.astype(np.int32) - zero
    numbers = centred * scale.reshape(-1, 1, 1, 1)
    assert weight_names(model) == {weight_key(each): "stem" for each in (centred, numbers)}


def _tensor(array):
    from onnx import numpy_helper

    return numpy_helper.from_array(array, "w")
