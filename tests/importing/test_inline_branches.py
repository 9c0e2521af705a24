import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from tests.onnx_models import model_of
from tvm_patdnn.importing.fold_constants import fold_constants
from tvm_patdnn.importing.inline_branches import inline_branches


def branch(op, name="inner"):
    """Computes ``op(x) * 2`` under names that other branches use, too."""
    value = helper.make_tensor("two", TensorProto.FLOAT, [], [2.0])
    nodes = [
        helper.make_node(op, ["x"], [name]),
        helper.make_node("Mul", [name, "two"], ["out"]),
    ]
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, None)
    return helper.make_graph(nodes, op, [], [out], [value])


def chosen(output, then, other, condition="c"):
    return helper.make_node(
        "If", [condition], [output], name=output, then_branch=then, else_branch=other
    )


def run(model):
    x = np.array([-1.0, 2.0, 3.0], np.float32)
    return onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": x})[0]


def inlined(nodes, condition):
    model = model_of(nodes, inputs={"x": [3]}, weights={"c": np.array(condition)})
    new = onnx.ModelProto()
    new.CopyFrom(model)
    assert inline_branches(new)
    np.testing.assert_array_equal(run(new), run(model))
    return [node.op_type for node in new.graph.node]


@pytest.mark.parametrize(("condition", "op"), [(True, "Relu"), (False, "Neg")])
def test_the_branch_that_is_taken(condition, op):
    nodes = [chosen("y", branch("Relu"), branch("Neg"))]
    assert inlined(nodes, condition) == [op, "Mul", "Identity"]


def test_two_branches_with_the_same_names():
    nodes = [
        chosen("a", branch("Relu"), branch("Neg")),
        chosen("b", branch("Abs"), branch("Neg")),
        helper.make_node("Sub", ["a", "b"], ["y"]),
    ]
    expected = ["Relu", "Mul", "Identity", "Abs", "Mul", "Identity", "Sub"]
    assert inlined(nodes, True) == expected


def test_branches_within_branches():
    inner = helper.make_graph(
        [
            helper.make_node("Relu", ["x"], ["r"]),
            chosen("out", branch("Neg"), branch("Abs")),
            helper.make_node("Add", ["out", "r"], ["sum"]),
        ],
        "outer",
        [],
        [helper.make_tensor_value_info("sum", TensorProto.FLOAT, None)],
    )
    model = model_of(
        [chosen("y", inner, branch("Neg"))], inputs={"x": [3]}, weights={"c": np.array(True)}
    )
    expected = run(model)
    assert fold_constants(model)
    assert "If" not in [node.op_type for node in model.graph.node]
    np.testing.assert_array_equal(run(model), expected)


def test_a_computed_condition_is_left_alone():
    nodes = [helper.make_node("Cast", ["x"], ["c"], to=TensorProto.BOOL)]
    nodes.append(chosen("y", branch("Relu"), branch("Neg")))
    assert not inline_branches(model_of(nodes, inputs={"x": [1]}))
