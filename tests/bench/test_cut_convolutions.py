import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tests.bench.samples import small_network
from tests.quantised_models import quantised, run_exactly
from tvm_patdnn.bench.cut_convolutions import cut_convolutions
from tvm_patdnn.importing.expand_quantised import expand_quantised


@pytest.mark.parametrize("name", ["QDQ", "QOperator"])
def test_a_quantised_layer_takes_and_gives_integers_as_in_its_network(name):
    model = expand_quantised(quantised(name))
    cuts = cut_convolutions(quantised(name))
    assert len(cuts) == sum(node.op_type == "Conv" for node in model.graph.node)
    for each in cuts:
        model.graph.output.extend(
            value for value in (each.source, each.result) if value.name not in _outputs(model)
        )
    picture = np.random.default_rng(3).standard_normal((1, 3, 32, 32), np.float32)
    found = run_exactly(model, {"x": picture})
    for each in cuts:
        alone = each.as_model(model)
        onnx.checker.check_model(alone, full_check=True)
        assert each.source.type.tensor_type.elem_type == TensorProto.UINT8
        made = run_exactly(alone, {each.source.name: found[each.source.name]})
        np.testing.assert_array_equal(made[each.result.name], found[each.result.name])


def test_of_a_float_network_it_is_the_convolution_alone():
    first, *_ = cut_convolutions(small_network())
    assert [node.op_type for node in first.nodes] == ["Conv"]
    assert (first.in_shape, first.weight_shape) == ((1, 3, 8, 8), (4, 3, 3, 3))


def test_a_result_that_others_read_as_numbers_stays_numbers():
    model = expand_quantised(quantised("QDQ"))
    first = cut_convolutions(model)[0]
    read = helper.make_node("Abs", [first.node.output[0]], ["more"])
    model.graph.node.append(read)
    again = cut_convolutions(model)[0]
    assert again.nodes[-1].op_type == "Conv"
    assert again.result.type.tensor_type.elem_type == TensorProto.FLOAT


def test_weights_that_are_computed_are_left_out():
    node = helper.make_node("Conv", ["x", "w"], ["y"])
    inputs = [
        helper.make_tensor_value_info(n, 1, s)
        for n, s in (("x", (1, 3, 8, 8)), ("w", (4, 3, 3, 3)))
    ]
    output = helper.make_tensor_value_info("y", 1, None)
    assert (
        cut_convolutions(helper.make_model(helper.make_graph([node], "g", inputs, [output]))) == []
    )


def _outputs(model: onnx.ModelProto) -> set[str]:
    return {value.name for value in model.graph.output}
