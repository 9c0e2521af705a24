import sys

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

import tvm_patdnn
from tests.onnx_models import conv_model, conv_weight, model_of
from tests.quantised_models import quantised, run_exactly
from tvm_patdnn.errors import LibraryError, QuantizationError
from tvm_patdnn.quantizing import quantize_onnx

BATCHES = [
    {"x": np.random.default_rng(i).standard_normal((1, 3, 8, 8), np.float32)} for i in range(4)
]


def weights_of(model) -> list[np.ndarray]:
    tensors = [numpy_helper.to_array(each) for each in model.graph.initializer]
    return [each for each in tensors if each.ndim == 4]


def test_the_numbers_are_near():
    model = quantize_onnx(conv_model(), BATCHES)
    expected = run_exactly(conv_model(), BATCHES[0])["y"]
    found = run_exactly(model, BATCHES[0])["y"]
    assert np.abs(found - expected).max() < 0.02 * np.abs(expected).max()
    library = tvm_patdnn.build(model)
    assert [layer.dtype for layer in library.report] == ["int8"]


def test_scores_are_not_clipped_to_what_the_batches_gave():
    random = np.random.default_rng(0)
    matrix, bias = (random.standard_normal(shape, np.float32) for shape in ((4, 16), (16,)))
    matrix -= matrix.mean(0)  # so that inputs that are alike give scores of the bias alone
    nodes = [
        helper.make_node("MatMul", ["x", "matrix"], ["m"]),
        helper.make_node("Add", ["m", "bias"], ["y"]),
    ]
    weights = {"matrix": matrix, "bias": 0.1 * bias}
    model = model_of(nodes, inputs={"x": (1, 4)}, weights=weights)
    quantised_model = quantize_onnx(model, [{"x": np.full((1, 4), 3, np.float32)}])
    inputs = {"x": np.array([[3, 0, 0, 0]], np.float32)}
    found = next(iter(tvm_patdnn.build(quantised_model).run(inputs).values()))
    expected = inputs["x"] @ matrix + weights["bias"]
    np.testing.assert_allclose(found, expected, atol=0.05)
    np.testing.assert_allclose(found, run_exactly(quantised_model, inputs)["y"], atol=1e-5)


def test_weights_that_are_zero_stay_zero():
    model, weight = conv_model(), conv_weight()
    weight[:, 1] = weight[:, :, 0] = 0
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(weight, "features.0.weight"))
    (stored,) = weights_of(quantize_onnx(model, BATCHES))
    assert stored.dtype == np.int8
    assert (stored[weight == 0] == 0).all()
    assert (stored[weight != 0] != 0).mean() > 0.95


def test_every_filter_has_a_scale_and_no_zero_point():
    model = quantize_onnx(conv_model(), BATCHES)
    makers = {name: node for node in model.graph.node for name in node.output}
    (conv,) = (node for node in model.graph.node if node.op_type == "Conv")
    tensors = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    _, scale, zero = (tensors[name] for name in makers[conv.input[1]].input)
    assert (scale.shape, zero.any()) == ((4,), False)


def test_batch_norm_is_folded_first():
    scale = np.linspace(0.5, 2, 4, dtype=np.float32)
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], name="conv"),
        helper.make_node("BatchNormalization", ["c", "s", "s", "s", "s"], ["y"]),
    ]
    weights = {"w": conv_weight(), "s": scale}
    model = model_of(nodes, inputs={"x": (1, 3, 8, 8)}, weights=weights)
    ops = [node.op_type for node in quantize_onnx(model, BATCHES).graph.node]
    assert "BatchNormalization" not in ops
    assert "Conv" in ops


def test_what_the_file_says_of_itself_stays():
    model = conv_model()
    helper.set_model_props(model, {"mean": "0.5", "classes": "cat,dog"})
    kept = quantize_onnx(model, BATCHES).metadata_props
    assert {entry.key: entry.value for entry in kept} == {"mean": "0.5", "classes": "cat,dog"}


def test_a_quantised_model_is_declined():
    with pytest.raises(QuantizationError, match=r"Linear\): the model is quantised already"):
        quantize_onnx(quantised(), BATCHES)


def test_a_float16_model_is_declined():
    model = conv_model()
    for tensor in model.graph.initializer:
        tensor.CopyFrom(
            numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), tensor.name)
        )
    with pytest.raises(QuantizationError, match="is in float16; export it in float32, and"):
        quantize_onnx(model, BATCHES)


def test_what_reads_the_batches_says_what_is_wrong_itself():
    def batches():
        raise LibraryError("no file of that name; give another")
        yield

    with pytest.raises(LibraryError, match="^no file of that name"):
        quantize_onnx(conv_model(), batches())


def test_a_model_without_layers_is_declined():
    model = model_of([helper.make_node("Relu", ["x"], ["y"])], inputs={"x": (1, 3, 8, 8)})
    with pytest.raises(QuantizationError, match="the model has nothing to quantise"):
        quantize_onnx(model, BATCHES)


def test_batches_of_another_network_are_declined():
    with pytest.raises(QuantizationError, match="onnxruntime cannot quantise the model.*the data"):
        quantize_onnx(conv_model(), [{"x": np.zeros((1, 2, 8, 8), np.float32)}])


def test_onnxruntime_is_asked_for(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime.quantization", None)
    with pytest.raises(
        QuantizationError, match=r"needs onnxruntime, .* pip install '.\[quantize\]'"
    ):
        quantize_onnx(conv_model(), BATCHES)


def test_the_model_is_left_as_it_is():
    model = conv_model()
    quantize_onnx(model, BATCHES)
    assert model == conv_model()
    assert isinstance(model, onnx.ModelProto)


def old_model():
    model = conv_model()
    model.opset_import[0].version = 11
    model.graph.node[1].CopyFrom(helper.make_node("Clip", ["c"], ["y"], name="c"))
    return model


def test_old_operator_sets_are_converted():
    model = old_model()
    quantised_model = quantize_onnx(model, BATCHES)
    assert quantised_model.opset_import[0].version == 13
    expected = run_exactly(model, BATCHES[0])["y"]
    found = run_exactly(quantised_model, BATCHES[0])["y"]
    assert np.abs(found - expected).max() < 0.02 * np.abs(expected).max()


def test_operator_sets_that_cannot_be_converted_are_declined(monkeypatch):
    def fails(*_):
        raise RuntimeError("no adapter for Foo")

    monkeypatch.setattr(onnx.version_converter, "convert_version", fails)
    with pytest.raises(QuantizationError, match="of operator set 11, .*no adapter for Foo; export"):
        quantize_onnx(old_model(), BATCHES)
