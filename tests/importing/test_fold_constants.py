import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.onnx_models import model_of
from tvm_patdnn.importing import fold_constants as module
from tvm_patdnn.importing.fold_constants import fold_constants
from tvm_patdnn.importing.onnx_constants import array_of


def node(op, inputs, output, **given):
    return helper.make_node(op, inputs.split(), [output], **given)


def folded(nodes, weights=None, shape=(2, 3, 8, 8), opset=17):
    model = model_of(nodes, inputs={"x": shape}, weights=weights)
    model.opset_import[0].version = opset
    new = onnx.ModelProto()
    new.CopyFrom(model)
    assert fold_constants(new) == (new != model)
    assert not fold_constants(new)
    values = {"x": np.random.default_rng(0).standard_normal(shape).astype("f4")}
    expected, found = (
        onnxruntime.InferenceSession(each.SerializeToString()).run(None, values)[0]
        for each in (model, new)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    return new


def ops(model):
    return [node.op_type for node in model.graph.node]


def constant(model, name):
    (tensor,) = [t for t in model.graph.initializer if t.name == name]
    return array_of(tensor)


NUMBERS = {
    "zero": np.array([0]),
    "one": np.array([1]),
    "two": np.array([2]),
    "last": np.array([2**31 - 1]),
    "minus": np.array([-1]),
    "scalar0": np.array(0),
    "scalar1": np.array(1),
    "index": np.array(2),
}


def used(nodes):
    names = {name for node in nodes for name in node.input}
    return {name: value for name, value in NUMBERS.items() if name in names}


FLATTEN = [
    node("Shape", "x", "shape"),
    node("Gather", "shape scalar0", "rows"),
    node("Unsqueeze", "rows zero", "rows1"),
    node("Concat", "rows1 minus", "flat", axis=0),
    node("Reshape", "x flat", "y"),
]
HEADS = [  # of a transformer: (batch, tokens, heads, width)
    node("Shape", "x", "shape"),
    node("Slice", "shape zero two zero", "outer"),
    node("Slice", "shape minus last zero", "width"),
    node("Div", "width two", "half"),
    node("Concat", "outer two half minus", "split", axis=0),
    node("Reshape", "x split", "y"),
]
MASK = [  # of a decoder
    node("Shape", "x", "shape"),
    node("Gather", "shape index", "n"),
    node("Unsqueeze", "n zero", "n1"),
    node("Concat", "n1 n1", "square", axis=0),
    node("ConstantOfShape", "square", "ones", value=numpy_helper.from_array(np.ones(1, "f4"))),
    node("Trilu", "ones", "lower", upper=0),
    node("Cast", "lower", "keep", to=TensorProto.BOOL),
    node("Where", "keep x minus_inf", "y"),
]
POSITIONS = [  # as an embedding adds them
    node("Shape", "x", "shape"),
    node("Gather", "shape index", "n"),
    node("Range", "scalar0 n scalar1", "range"),
    node("Cast", "range", "positions", to=TensorProto.FLOAT),
    node("Unsqueeze", "positions one", "column"),
    node("Expand", "column square", "grid"),
    node("Add", "x grid", "y"),
]
SAME = [  # what a chooser between -1 and a size computes
    node("Shape", "x", "shape"),
    node("ConstantOfShape", "four", "ones", value=numpy_helper.from_array(np.ones(1, "i8"))),
    node("Mul", "ones minus", "free"),
    node("Equal", "asked free", "open"),
    node("Where", "open ones asked", "target"),
    node("Expand", "x target", "y"),
]


@pytest.mark.parametrize(
    ("nodes", "more", "left"),
    [
        (FLATTEN, {}, ["Reshape"]),
        (HEADS, {}, ["Reshape"]),
        (MASK, {"minus_inf": np.array(-1e9, "f4")}, ["Where"]),
        (POSITIONS, {"square": np.array([8, 8])}, ["Add"]),
        (SAME, {"four": np.array([4]), "asked": np.array([2, -1, 1, -1])}, ["Expand"]),
        (
            [node("Transpose", "w", "t", perm=[1, 0]), node("MatMul", "x t", "y")],
            {"w": np.eye(4, 8, dtype="f4")},
            ["MatMul"],
        ),
        (
            [node("Size", "x", "n"), node("Cast", "n", "f", to=1), node("Div", "x f", "y")],
            {},
            ["Div"],
        ),
        (
            [
                node("Shape", "x", "s", start=1, end=-1),
                node("Cast", "s", "f", to=1),
                node("ReduceProd", "f", "n", keepdims=0),
                node("Mul", "x n", "y"),
            ],
            {},
            ["Mul"],
        ),
    ],
)
def test_chains_are_folded(nodes, more, left):
    assert ops(folded(nodes, used(nodes) | more)) == left


def test_values_are_right():
    assert constant(folded(HEADS, used(HEADS)), "split").tolist() == [2, 3, 2, 4, -1]


@pytest.mark.parametrize("opset", [9, 11, 13, 22])
def test_operators_of_every_set(opset):
    axes = {"zero": np.array([0])} if opset >= 13 else {}
    given = {} if axes else {"axes": [0]}
    nodes = [
        node("Shape", "x", "shape"),
        node("Gather", "shape scalar1", "c"),
        node("Unsqueeze", "c zero" if axes else "c", "c1", **given),
        node("Concat", "minus c1", "flat", axis=0),
        node("Reshape", "x flat", "y"),
    ]
    weights = {"scalar1": np.array(1), "minus": np.array([-1])} | axes
    assert ops(folded(nodes, weights, opset=opset)) == ["Reshape"]


def test_constant_nodes_become_initializers():
    nodes = [helper.make_node("Constant", [], ["c"], value_float=2.0), node("Mul", "x c", "y")]
    assert ops(folded(nodes)) == ["Mul"]


def test_random_numbers_and_text_are_left_alone():
    nodes = [
        helper.make_node("RandomNormal", [], ["noise"], shape=[8]),
        helper.make_node("Constant", [], ["text"], value_string="x"),
        node("Add", "x noise", "y"),
    ]
    model = model_of(nodes, inputs={"x": [8]})
    assert not fold_constants(model)
    assert len(model.graph.node) == 3


def test_what_depends_on_the_input_is_left_alone():
    nodes = [
        node("NonZero", "x", "where"),
        node("Shape", "where", "shape"),
        node("Cast", "shape", "y", to=TensorProto.FLOAT),
    ]
    assert len(folded(nodes).graph.node) == 3


def test_large_results_are_left_to_the_network(monkeypatch):
    monkeypatch.setattr(module, "LARGEST_FOLDED", 63)
    nodes = [node("Expand", "one_f shape", "big"), node("Add", "x big", "y")]
    weights = {"one_f": np.ones(1, "f4"), "shape": np.array([8, 8])}
    assert ops(folded(nodes, weights)) == ["Expand", "Add"]


def test_nothing_is_allocated_for_what_is_too_large():
    nodes = [node("ConstantOfShape", "shape", "big"), node("ReduceSum", "big", "y")]
    model = model_of(nodes, inputs={"x": [1]}, weights={"shape": np.array([2**40, 2**20])})
    assert not fold_constants(model)


def test_what_numpy_refuses_is_left_alone():
    nodes = [node("Reshape", "w s", "r"), node("Add", "x r", "y")]
    weights = {"w": np.ones(3, "f4"), "s": np.array([2, 2])}
    model = model_of(nodes, inputs={"x": [2, 2]}, weights=weights)
    assert not fold_constants(model)
