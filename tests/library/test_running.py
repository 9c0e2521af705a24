import numpy as np
import pytest
import tvm
from onnx import helper
from tvm import relax

from tests.built import inputs, library
from tests.onnx_models import model_of
from tvm_patdnn.builder import build
from tvm_patdnn.errors import LibraryError
from tvm_patdnn.library import metadata
from tvm_patdnn.library.running import RunnableModel


@pytest.fixture(scope="module")
def model():
    return library().runnable


def test_runs_are_independent(model):
    first = model.run(inputs())["y"].copy()
    model.run({"x": np.zeros((1, 3, 16, 16), "float32")})
    assert (model.run(inputs())["y"] == first).all()


def test_strided_inputs(model):
    turned = np.ascontiguousarray(inputs()["x"].transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    assert not turned.flags.c_contiguous
    assert (model.run({"x": turned})["y"] == model.run(inputs())["y"]).all()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, r"inputs: got \[\], expected \['x'\]; missing: \['x'\]$"),
        (
            {"data": inputs()["x"]},
            r"got \['data'\], expected \['x'\]; missing: \['x'\]; unknown: \['data'\]$",
        ),
        ({**inputs(), "y": 1}, r"unknown: \['y'\]$"),
        (
            {"x": np.zeros((1, 3, 8, 8), "float32")},
            r"input 'x': got float32 of shape \[1, 3, 8, 8\], expected float32 of shape "
            r"\[1, 3, 16, 16\]; convert it, or build for this shape",
        ),
        ({"x": np.zeros((1, 3, 16, 16))}, r"input 'x': got float64 of shape"),
    ],
)
def test_wrong_inputs(model, given, message):
    for use in (model.run, model.time):
        with pytest.raises(LibraryError, match=message):
            use(given)


def test_time_gives_a_value_for_each_repeat(model):
    seconds = model.time(inputs(), repeats=3)
    assert len(seconds) == 3
    assert all(0 < value < 10 for value in seconds)


def test_several_outputs_by_name():
    nodes = [
        helper.make_node("Relu", ["x"], ["positive"], name="relu"),
        helper.make_node("Neg", ["x"], ["turned"], name="neg"),
    ]
    outputs = ("turned", "positive")
    found = build(model_of(nodes, inputs={"x": (1, 4)}, outputs=outputs)).run(
        {"x": np.array([[-1, 0, 1, 2]], "float32")}
    )
    assert tuple(found) == outputs
    assert found["turned"].tolist() == [[1, 0, -1, -2]]
    assert found["positive"].tolist() == [[0, 0, 1, 2]]


def test_metadata_of_another_format(monkeypatch):
    monkeypatch.setattr(metadata, "FORMAT", metadata.FORMAT + 1)
    with pytest.raises(LibraryError, match="metadata of format 1, expected 2.; build it again"):
        RunnableModel(library()._executable)


def test_a_program_without_metadata():
    builder = relax.BlockBuilder()
    x = relax.Var("x", relax.TensorType((8,), "float32"))
    with builder.function("main", [x]):
        builder.emit_func_output(builder.emit(relax.op.nn.relu(x)))
    program = relax.build(builder.finalize(), tvm.target.Target("llvm"))
    with pytest.raises(LibraryError, match="holds no model that this version can run"):
        RunnableModel(program)
