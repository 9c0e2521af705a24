import pytest
from onnx import AttributeProto, helper

from tests.onnx_models import conv_model, model_of
from tvm_patdnn.errors import ModelError
from tvm_patdnn.importing.check_nodes import check_nodes


def relu(inputs=("x",), outputs=("y",), **given):
    return helper.make_node("Relu", list(inputs), list(outputs), name="n", **given)


def pool(**given):
    return helper.make_node("MaxPool", ["x"], ["y"], name="n", **given)


def model(node):
    return model_of([node], inputs={"x": [1, 3, 8, 8]})


def test_sound_models_pass():
    check_nodes(conv_model())
    check_nodes(model(pool(kernel_shape=[2, 2], auto_pad="VALID", ceil_mode=1)))


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (relu(inputs=()), r"^'n' \(Relu\): has 0 inputs, expected 1; .* export the model again"),
        (relu(inputs=("x", "x")), "has 2 inputs, expected 1;"),
        (relu(outputs=()), "has 0 outputs, expected 1;"),
        (helper.make_node("Conv", ["x"], ["y"]), "has 1 inputs, expected 2 to 3;"),
        (pool(kernel_shape=3), "attribute 'kernel_shape' is of type INT, expected INTS; correct"),
        (pool(kernel_shape=[2, 2], auto_pad=3), "'auto_pad' is of type INT, expected STRING"),
    ],
)
def test_nodes_that_no_reader_accepts(node, message):
    with pytest.raises(ModelError, match=message):
        check_nodes(model(node))


def test_attributes_of_a_function_outside_of_one():
    node = pool(kernel_shape=[2, 2])
    node.attribute[0].ref_attr_name = "k"
    with pytest.raises(ModelError, match="'kernel_shape' refers to 'k' of a function, but"):
        check_nodes(model(node))


def test_oldest_files_do_not_tell_types():
    node = pool(kernel_shape=[2, 2])
    node.attribute[0].type = AttributeProto.UNDEFINED
    check_nodes(model(node))


def test_branches_are_checked():
    branch = model(relu(inputs=())).graph
    outer = helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)
    with pytest.raises(ModelError, match=r"'n' \(Relu\): has 0 inputs"):
        check_nodes(model(outer))


@pytest.mark.parametrize("node", [relu(domain="mine"), helper.make_node("Unknown", [], ["y"])])
def test_operators_that_onnx_does_not_define_are_left_to_others(node):
    node.ClearField("input")
    check_nodes(model(node))
