import pytest
from onnx import helper

from tests.onnx_models import conv_model, model_of
from tvm_patdnn.errors import LibraryError, ModelError
from tvm_patdnn.importing.node_errors import first_line, naming_model, naming_node

NODE = helper.make_node("Relu", ["x"], ["y"], name="n")


def test_what_goes_wrong_is_about_the_node():
    with (
        pytest.raises(ModelError, match=r"^'n' \(Relu\): cannot be read \(KeyError\); its inputs"),
        naming_node(NODE),
    ):
        raise KeyError


def test_a_broken_rule_explains_best():
    node = helper.make_node("AveragePool", ["x"], ["y"], name="p", kernel_shape=[2, 2], odd=1)
    model = model_of([node], inputs={"x": [1, 3, 8, 8]})
    with pytest.raises(ModelError, match="imported: Unrecognized .* Name: p"), naming_model(model):
        raise ValueError("something inside")


def test_without_a_broken_rule_the_error_is_cited():
    with (
        pytest.raises(ModelError, match="the model cannot be imported: boom; correct it"),
        naming_model(conv_model()),
    ):
        raise ValueError("boom\nat line 7")


@pytest.mark.parametrize("manager", [naming_node(NODE), naming_model(conv_model())])
def test_errors_of_ours_pass(manager):
    with pytest.raises(LibraryError, match="^as it is$"), manager:
        raise LibraryError("as it is")


@pytest.mark.parametrize("manager", [naming_node(NODE), naming_model(conv_model())])
def test_interruptions_pass(manager):
    with pytest.raises(KeyboardInterrupt), manager:
        raise KeyboardInterrupt


def test_first_lines():
    assert first_line(ValueError("\n one\ntwo")) == "one"
    assert first_line(StopIteration()) == "StopIteration"
    assert len(first_line(ValueError("x" * 999))) == 300
