import logging

import numpy as np
import pytest
from onnx import TensorProto, helper

import tvm_patdnn
from tests.built import network
from tests.onnx_models import model_of
from tvm_patdnn.errors import PatDNNError
from tvm_patdnn.importing.half_precision import computes_in_half


def half_model(activation: str):
    """x (1, 3, 8, 8) float32 -> cast -> conv in float16 -> activation -> cast -> y."""
    nodes = [
        helper.make_node("Cast", ["x"], ["h"], name="to_half", to=TensorProto.FLOAT16),
        helper.make_node("Conv", ["h", "weight"], ["a"], name="conv", pads=[1] * 4),
        helper.make_node(activation, ["a"], ["b"], name="activation"),
        helper.make_node("Cast", ["b"], ["y"], name="to_float", to=TensorProto.FLOAT),
    ]
    weight = np.random.default_rng(0).standard_normal((4, 3, 3, 3)).astype("float16")
    return model_of(nodes, inputs={"x": (1, 3, 8, 8)}, weights={"weight": weight})


def test_what_is_recognised():
    assert computes_in_half(half_model("Relu"))
    assert not computes_in_half(network())


def test_it_is_built_with_a_warning(caplog):
    onnxruntime = pytest.importorskip("onnxruntime")
    model = half_model("Relu")
    with caplog.at_level(logging.WARNING):
        library = tvm_patdnn.build(model)
    assert "computes in float16, where no kernel of ours does" in caplog.text
    assert "export the model as float32" in caplog.text
    assert "WARNING: no convolution of our kernels" in str(library.report)
    x = np.random.default_rng(1).standard_normal((1, 3, 8, 8), np.float32)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    (expected,) = session.run(None, {"x": x})
    assert np.abs(library(x)[0] - expected).max() < 0.02 * np.abs(expected).max()


def test_what_fails_in_tvm_gets_the_advice():
    with pytest.raises(PatDNNError, match="float16: export the model as float32"):
        tvm_patdnn.build(half_model("HardSwish"))
