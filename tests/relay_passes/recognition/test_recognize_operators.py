import math

import numpy as np
import pytest
from tvm import relax

from relay_passes.recognition.graph import (
    ChannelOperand,
    Convolution,
    Copy,
    GlobalPool,
    Pooling,
    TensorOperand,
)
from relay_passes.recognition.recognize_operators import recognize
from te_schedules.cpu.pool2d import Pool2dWindow
from te_schedules.epilogue import Step
from te_schedules.window import Window
from tests.relay_passes.relax_modules import const, random_array

SHAPE = (2, 4, 8, 8)


def tensor(name: str, *shape: int) -> relax.Var:
    return relax.Var(name, relax.TensorType(shape or SHAPE, "float32"))


def recognized(expr: relax.Expr, *in_lanes: relax.Var, names=None):
    builder = relax.BlockBuilder()
    value = builder.normalize(expr)
    return recognize(relax.Var("y", value.ty), value, set(in_lanes), names or {})


X, Y = tensor("x"), tensor("other")


def test_a_convolution_is_recognised_wherever_its_input_is():
    conv = relax.op.nn.conv2d(X, relax.const(random_array(6, 4, 3, 3)), padding=1)
    for in_lanes in ((), (X,)):
        node = recognized(conv, *in_lanes)
        assert isinstance(node.operator, Convolution)
        assert node.operator.layer.name == "y"
        assert node.inputs[0].same_as(X)


def test_everything_else_only_where_its_input_is_in_lanes():
    for expr in (
        relax.op.nn.relu(X),
        relax.op.nn.max_pool2d(X, (2, 2), (2, 2)),
        relax.op.mean(X, axis=[2, 3], keepdims=True),
        relax.op.add(X, Y),
        relax.op.concat([X, Y], axis=1),
    ):
        assert recognized(expr) is None
        assert recognized(expr, X) is not None


def test_either_side_of_a_sum_may_be_in_lanes():
    for lanes, other in ((X, Y), (Y, X)):
        node = recognized(relax.op.add(X, Y), lanes)
        assert node.inputs[0].same_as(lanes)
        assert node.steps[0].operand.var.same_as(other)


@pytest.mark.parametrize(
    ("expr", "steps"),
    [
        (relax.op.nn.leakyrelu(X, 0.25), [Step("leaky_relu", numbers=(0.25,))]),
        (relax.op.clip(X, 0, 6), [Step("clip", numbers=(0.0, 6.0))]),
        (relax.op.minimum(X, const(6.0)), [Step("clip", numbers=(-math.inf, 6.0))]),
        (relax.op.multiply(const(2.0), X), [Step("multiply_number", numbers=(2.0,))]),
        (relax.op.divide(X, const(4.0)), [Step("multiply_number", numbers=(0.25,))]),
        (relax.op.subtract(X, const([[1.0]])), [Step("add_number", numbers=(-1.0,))]),
        (
            relax.op.subtract(const(1.0), X),
            [Step("multiply_number", numbers=(-1.0,)), Step("add_number", numbers=(1.0,))],
        ),
        (relax.op.power(X, const(2.0)), [Step("square")]),
        (relax.op.add(X, relax.const(random_array(4, 1, 1))), [Step("add", ChannelOperand)]),
        (relax.op.nn.prelu(X, relax.const(random_array(4))), [Step("prelu", ChannelOperand)]),
        (relax.op.multiply(X, Y), [Step("multiply", TensorOperand)]),
        (relax.op.multiply(X, tensor("scale", 2, 4, 1, 1)), [Step("multiply", ChannelOperand)]),
    ],
)
def test_steps(expr, steps):
    node = recognized(expr, X)
    assert node.operator == Copy()
    assert [step.bind(type) for step in node.steps] == steps


NOT_OURS = {
    "a tensor in lanes divides": relax.op.divide(Y, X),
    "by zero": relax.op.divide(X, const(0.0)),
    "a cube": relax.op.power(X, const(3.0)),
    "a slope for each column": relax.op.nn.prelu(X, relax.const(random_array(8)), axis=3),
    "a number for each row": relax.op.add(X, relax.const(random_array(8, 1))),
    "a number for each image": relax.op.add(X, relax.const(random_array(2, 1, 1, 1))),
    "a number for each of every image": relax.op.add(X, relax.const(random_array(2, 4, 1, 1))),
    "one plane for all channels": relax.op.add(X, tensor("plane", 2, 1, 8, 8)),
    "more dimensions": relax.op.add(X, relax.const(random_array(3, 1, 1, 1, 1))),
    "joined rows": relax.op.concat([X, Y], axis=2),
    "a constant joined": relax.op.concat([X, relax.const(random_array(*SHAPE))], axis=1),
    "a mean of rows": relax.op.mean(X, axis=[2], keepdims=True),
    "adaptive windows": relax.op.nn.adaptive_avg_pool2d(X, (2, 2)),
    "linear": relax.op.image.resize2d(X, (16, 16), layout="NCHW", method="linear"),
    "channels last": relax.op.nn.max_pool2d(X, (2, 2), (2, 2), layout="NHWC"),
    "softmax": relax.op.nn.softmax(X),
    "a reshape": relax.op.reshape(X, (2, 8, 4, 8)),
}


@pytest.mark.parametrize("expr", NOT_OURS.values(), ids=NOT_OURS)
def test_not_mine(expr):
    assert recognized(expr, X) is None


def test_other_types_and_unknown_shapes_are_not_mine():
    for ty in (
        relax.TensorType(SHAPE, "float16"),
        relax.TensorType(dtype="float32", ndim=4),
        relax.TensorType((2, 4, 8), "float32"),
    ):
        data = relax.Var("x", ty)
        assert recognized(relax.op.nn.relu(data), data) is None


def test_a_plane_of_one_value_is_a_matrix_product():
    weight = relax.const(random_array(6, 4, 1, 1))
    assert recognized(relax.op.nn.conv2d(tensor("v", 2, 4, 1, 1), weight)) is None
    whole = relax.const(random_array(6, 4, 8, 8))
    assert recognized(relax.op.nn.conv2d(X, whole), X) is None


def test_where_windows_lie():
    node = recognized(relax.op.nn.max_pool2d(X, (3, 2), (2, 1), (1, 0, 0, 1)), X)
    window = Pool2dWindow(kind="max", size=(3, 2), padded=True)
    assert node.operator == Pooling(window, Window((3, 2), (2, 1), (1, 1), (1, 0)))
    node = recognized(relax.op.nn.avg_pool2d(X, (2, 2), (2, 2)), X)
    assert not node.operator.pool.padded
    # 8 values, windows of 3 with stride 2: the fourth reaches over the edge.
    node = recognized(relax.op.nn.max_pool2d(X, (3, 3), (2, 2), ceil_mode=True), X)
    assert node.operator.pool.padded


def test_means_of_planes():
    for mean in (
        relax.op.mean(X, axis=[-2, -1], keepdims=True),
        relax.op.mean(X, axis=[2, 3]),
        relax.op.nn.adaptive_avg_pool2d(X, (1, 1)),
    ):
        assert recognized(mean, X).operator == GlobalPool()


def test_enlargement_and_shuffle():
    resize = relax.op.image.resize2d(
        X,
        (24, 24),
        layout="NCHW",
        method="nearest_neighbor",
        coordinate_transformation_mode="asymmetric",
        rounding_method="floor",
    )
    assert recognized(resize, X).operator == Copy(repeat=3)
    shuffled = recognized(relax.op.nn.pixel_shuffle(X, 2), X)
    assert shuffled.operator == Copy(repeat=2, shuffle=True)


def test_float64_constants_are_not_mine():
    data = relax.Var("x", relax.TensorType(SHAPE, "float64"))
    expr = relax.op.add(data, relax.const(np.ones((4, 1, 1)), "float64"))
    assert recognized(expr, data) is None
