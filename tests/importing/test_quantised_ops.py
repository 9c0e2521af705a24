import pytest
from onnx import helper

from tvm_patdnn.importing.quantised_ops import is_quantised


@pytest.mark.parametrize(
    "op_type", ["QLinearConv", "QLinearAdd", "DequantizeLinear", "ConvInteger", "QGemm"]
)
def test_quantised(op_type):
    assert is_quantised(helper.make_node(op_type, ["x"], ["y"]))


@pytest.mark.parametrize("op_type", ["Conv", "MatMul", "Cast"])
def test_float(op_type):
    assert not is_quantised(helper.make_node(op_type, ["x"], ["y"]))
