from onnx import TensorProto, helper

from tests.onnx_models import conv_model, model_of
from tvm_patdnn.importing.onnx_rules import broken_rule, contradiction


def pool(**given):
    node = helper.make_node("AveragePool", ["x"], ["y"], name="p", kernel_shape=[2, 2], **given)
    return model_of([node], inputs={"x": [1, 3, 8, 8]})


def test_a_sound_model_breaks_no_rule_though_its_output_has_no_shape():
    assert broken_rule(conv_model()) is None
    assert contradiction(conv_model()) is None


def test_an_output_whose_shape_cannot_be_inferred_breaks_no_rule():
    nodes = [
        helper.make_node("Cast", ["x"], ["sizes"], to=TensorProto.INT64),
        helper.make_node("Expand", ["x", "sizes"], ["y"]),
    ]
    assert broken_rule(model_of(nodes, inputs={"x": ["N"]})) is None


def test_the_checker_names_the_node():
    assert "Unrecognized attribute: odd" in broken_rule(pool(odd=1))
    assert "Name: p OpType: AveragePool" in broken_rule(pool(odd=1))


def test_inference_names_the_node():
    said = contradiction(pool(strides=[-1, -1]))
    assert "node name: p" in said
    assert "strides must only contain positive values" in said
