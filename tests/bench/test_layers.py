import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

from tests.bench.samples import small_network
from tests.onnx_models import model_of
from tvm_patdnn.bench.layers import layer_subjects
from tvm_patdnn.errors import BenchError
from tvm_patdnn.pruning import prune_onnx


def test_of_equal_convolutions_the_first_stands_for_all():
    subjects = layer_subjects("net", small_network())
    assert [each.layer for each in subjects] == [
        "conv1 (3x3, 3->4@8x8)",
        "conv2 (3x3, 4->4@8x8, 2 times)",
    ]
    assert all(each.model == "net" and each.dense is None for each in subjects)


def test_a_layer_computes_what_it_computed_in_the_model():
    model = small_network()
    model.graph.output.append(onnx.helper.make_tensor_value_info("a", 1, (1, 4, 8, 8)))
    first = layer_subjects("net", model)[0].pruned
    onnx.checker.check_model(first, full_check=True)
    x = np.random.default_rng(1).random((1, 3, 8, 8), np.float32)
    whole = onnxruntime.InferenceSession(model.SerializeToString()).run(["a"], {"x": x})
    alone = onnxruntime.InferenceSession(first.SerializeToString()).run(None, {"x": x})
    np.testing.assert_array_equal(alone[0], whole[0])


def test_the_others_get_the_dense_weights():
    dense = small_network()
    subject = layer_subjects("net", prune_onnx(dense, first_layer=True), dense)[0]
    pruned, original = (
        numpy_helper.to_array(model.graph.initializer[0])
        for model in (subject.pruned, subject.dense)
    )
    assert np.count_nonzero(pruned) < np.count_nonzero(original) == original.size


def test_stride_and_groups_are_told():
    node = onnx.helper.make_node(
        "Conv", ["x", "w", "b"], ["y"], strides=[2, 2], group=4, name="conv"
    )
    weights = {"w": np.ones((8, 1, 1, 1), np.float32), "b": np.ones(8, np.float32)}
    model = model_of([node], inputs={"x": (1, 4, 6, 6)}, weights=weights)
    (subject,) = layer_subjects("net", model)
    assert subject.layer == "conv (1x1/2, 4->8@6x6)"
    assert [each.name for each in subject.pruned.graph.initializer] == ["w", "b"]


def test_another_network_is_no_dense_twin():
    other = model_of(
        [onnx.helper.make_node("Conv", ["x", "w"], ["y"])],
        inputs={"x": (1, 3, 8, 8)},
        weights={"w": np.ones((4, 3, 1, 1), np.float32)},
    )
    with pytest.raises(BenchError, match="not those of the dense model; give the model that was"):
        layer_subjects("net", small_network(), other)


def test_a_network_without_convolutions_has_no_layers():
    relu = model_of([onnx.helper.make_node("Relu", ["x"], ["y"])], inputs={"x": (1, 3, 8, 8)})
    with pytest.raises(BenchError, match="net: has no convolution"):
        layer_subjects("net", relu)
