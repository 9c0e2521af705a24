import pytest
from onnx import helper

from tvm_patdnn.importing.quantised_ops import is_dynamically_quantised, is_quantised


@pytest.mark.parametrize(
    "op_type", ["QLinearConv", "QLinearAdd", "DequantizeLinear", "ConvInteger", "QGemm"]
)
def test_quantised(op_type):
    assert is_quantised(helper.make_node(op_type, ["x"], ["y"]))


@pytest.mark.parametrize("op_type", ["Conv", "MatMul", "Cast"])
def test_float(op_type):
    assert not is_quantised(helper.make_node(op_type, ["x"], ["y"]))


@pytest.mark.parametrize("op_type", ["ConvInteger", "MatMulInteger", "DynamicQuantizeLinear"])
def test_scales_that_depend_on_the_data(op_type):
    assert is_dynamically_quantised(helper.make_node(op_type, ["x"], ["y"]))


@pytest.mark.parametrize("op_type", ["QLinearConv", "DequantizeLinear", "QuantizeLinear", "Conv"])
def test_scales_of_the_file(op_type):
    assert not is_dynamically_quantised(helper.make_node(op_type, ["x"], ["y"]))
