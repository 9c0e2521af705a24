import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.onnx_models import conv_model, conv_weight, model_of
from tvm_patdnn.errors import ModelError
from tvm_patdnn.importing.onnx_shapes import fix_input_shapes


def shapes_of(model):
    return {
        value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in model.graph.input
    }


@pytest.mark.parametrize("declared", [("N", 3, None, None), (-1, 3, "H", "W"), None])
def test_fixes_dynamic_dimensions(declared):
    fixed = fix_input_shapes(conv_model(declared), {"x": (2, 3, 16, 12)})
    assert shapes_of(fixed) == {"x": [2, 3, 16, 12]}


def test_leaves_the_given_model_alone():
    model = conv_model(("N", 3, 8, 8))
    before = model.SerializeToString(deterministic=True)
    fix_input_shapes(model, {"x": [1, 3, 8, 8]})
    assert model.SerializeToString(deterministic=True) == before


def test_changes_the_given_model_if_asked_to():
    model, same = conv_model(("N", 3, 8, 8)), conv_model(("N", 3, 8, 8))
    assert fix_input_shapes(model, {"x": [1, 3, 8, 8]}, in_place=True) is model
    assert model == fix_input_shapes(same, {"x": [1, 3, 8, 8]})


def test_initializers_are_not_inputs():
    model = conv_model()
    model.ir_version = 3
    weight = helper.make_tensor_value_info("features.0.weight", TensorProto.FLOAT, [4, 3, 3, 3])
    model.graph.input.append(weight)
    fixed = fix_input_shapes(model, None)
    assert shapes_of(fixed) == {"x": [1, 3, 8, 8]}
    assert (numpy_helper.to_array(fixed.graph.initializer[0]) == conv_weight()).all()


def test_asks_for_a_missing_shape_with_an_example_to_paste():
    with pytest.raises(ModelError) as caught:
        fix_input_shapes(conv_model(("batch", 3, None, "W")), None)
    message = str(caught.value)
    assert "input 'x' has shape [batch, 3, ?, W]" in message
    assert "input_shapes={'x': [1, 3, 224, 224]}" in message
    assert "--input-shape x:1,3,224,224" in message


def test_a_batch_without_a_size_is_asked_for_too():
    with pytest.raises(ModelError, match=r"input_shapes=\{'x': \[1, 3, 8, 8\]\}"):
        fix_input_shapes(conv_model(("batch", 3, 8, 8)), None)


def test_all_missing_shapes_are_named_at_once():
    node = helper.make_node("Add", ["a", "b"], ["y"])
    model = model_of([node], inputs={"a": ["N", 4], "b": None})
    with pytest.raises(ModelError, match=r"input 'a' has shape \[N, 4\]; input 'b' has .* unknown"):
        fix_input_shapes(model, None)


def test_unknown_name():
    with pytest.raises(ModelError, match="input_shapes: no input 'image'; the inputs are 'x'"):
        fix_input_shapes(conv_model(), {"image": [1, 3, 8, 8]})


@pytest.mark.parametrize("shape", [(1, 3, 8), (1, 4, 8, 8)])
def test_contradicting_shape(shape):
    with pytest.raises(ModelError, match=r"got \[.*\], but the model says \[1, 3, 8, 8\]; only"):
        fix_input_shapes(conv_model(), {"x": shape})


@pytest.mark.parametrize("shape", [(), (1, 3, 0, 8), (1, 3, "H", 8), (1.0, 3, 8, 8), 7])
def test_shape_of_something_else_than_sizes(shape):
    with pytest.raises(ModelError, match=r"input_shapes\['x'\]: got .*, expected positive whole"):
        fix_input_shapes(conv_model(("N", 3, 8, 8)), {"x": shape})


def test_input_that_is_not_a_tensor():
    model = conv_model()
    sequence = helper.make_tensor_sequence_value_info("s", TensorProto.FLOAT, None)
    model.graph.input.append(sequence)
    with pytest.raises(ModelError, match="input 's': is not a tensor"):
        fix_input_shapes(model, None)
