import logging

import numpy as np
import pytest

import tvm_patdnn
from tests.built import network
from tests.half_models import half_model
from tvm_patdnn.errors import PatDNNError
from tvm_patdnn.importing.half_precision import computes_in_half


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
