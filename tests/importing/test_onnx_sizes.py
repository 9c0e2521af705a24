import numpy as np
import pytest
from onnx import helper

from tests.onnx_models import conv_model, model_of
from tvm_patdnn.errors import ModelError
from tvm_patdnn.importing.onnx_sizes import MOST_ELEMENTS, check_sizes


def grown(op, *inputs, name="n", **weights):
    nodes = [
        helper.make_node(op, list(inputs), ["big"], name=name),
        helper.make_node("ReduceSum", ["big"], ["sum"], keepdims=0),
        helper.make_node("Add", ["x", "sum"], ["y"]),
    ]
    constants = {key: np.array(value) for key, value in weights.items()}
    return model_of(nodes, inputs={"x": [1, 4]}, weights=constants)


HUGE = [100_000, 100_000]


@pytest.mark.parametrize(
    "model",
    [
        grown("ConstantOfShape", "s", s=HUGE),
        grown("Expand", "c", "s", c=[1], s=HUGE),
        grown("Tile", "c", "s", c=[[1]], s=HUGE),
        grown("Range", "a", "b", "c", a=0, b=3 * 10**9, c=1),
        grown("Pad", "x", "s", s=[0, 0, *HUGE]),
        grown("ConstantOfShape", "s", s=[2**62, 2**62]),
    ],
)
def test_results_that_are_too_large(model):
    with pytest.raises(ModelError, match=r"^'n' \(\w+\): its result would have shape .* most"):
        check_sizes(model)


def test_a_negative_size():
    pool = helper.make_node("MaxPool", ["x"], ["y"], kernel_shape=[2, 2], dilations=[99, 9])
    model = model_of([pool], inputs={"x": [1, 3, 8, 8]})
    message = r"^the node that computes 'y' \(MaxPool\): .* \[1, 3, -91, -1\], expected no nega"
    with pytest.raises(ModelError, match=message):
        check_sizes(model)


@pytest.mark.parametrize("sizes", [(1, 3, 2**40, 8), (2**62, 3, 8, 8), (1, 3, 2**15, 2**15)])
def test_inputs_that_are_too_large(sizes):
    with pytest.raises(ModelError, match=r"^input 'x': has shape .* choose smaller inputs"):
        check_sizes(conv_model(sizes))


def test_the_largest_pass():
    relu = helper.make_node("Relu", ["x"], ["y"])
    check_sizes(model_of([relu], inputs={"x": [MOST_ELEMENTS]}))
    check_sizes(model_of([relu], inputs={"x": [0, 2**40]}))
    check_sizes(model_of([relu], inputs={"x": ["N", 2**40]}))
