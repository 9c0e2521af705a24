import numpy as np
from onnx import helper

from tests.onnx_models import model_of
from tvm_patdnn.importing.importer import import_onnx


def test_several_outputs():
    nodes = [
        helper.make_node("Relu", ["x"], ["y"], name="relu"),
        helper.make_node("ArgMax", ["x"], ["most"], name="most", axis=1, keepdims=0),
    ]
    model = import_onnx(model_of(nodes, inputs={"x": (2, 4)}, outputs=("most", "y")))
    assert model.outputs == {"most": ((2,), "int64"), "y": ((2, 4), "float32")}
    assert list(model.outputs) == ["most", "y"]


def test_sizes_that_the_data_tell():
    nodes = [helper.make_node("NonZero", ["x"], ["y"], name="nonzero")]
    model = import_onnx(model_of(nodes, inputs={"x": (2, 4)}, outputs=("y",)))
    shape, dtype = model.outputs["y"]
    assert shape in ((2, -1), (-1, -1))
    assert np.dtype(dtype) == np.int64
