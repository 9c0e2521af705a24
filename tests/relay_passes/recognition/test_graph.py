import numpy as np
from tvm import relax

from relay_passes.recognition.graph import (
    ChannelOperand,
    Convolution,
    Copy,
    GlobalPool,
    LaneNode,
    Pooling,
    TensorOperand,
)
from te_schedules.cpu.pool2d import Pool2dWindow
from te_schedules.epilogue import Step
from te_schedules.window import Window
from tests.relay_passes.recognition.conv_layers import layer_of
from tests.te_schedules.cpu.lane_kernels import ConvCase, pattern_weight


def var(name: str) -> relax.Var:
    return relax.Var(name, relax.TensorType((1, 4, 8, 8), "float32"))


X, Y, RESIDUAL, SCALE = map(var, ["x", "y", "residual", "scale"])


def test_a_node_reads_its_inputs_and_the_variables_of_its_epilogue():
    steps = (
        Step("add", ChannelOperand(np.ones(4, np.float32))),
        Step("relu"),
        Step("add", TensorOperand(RESIDUAL)),
        Step("multiply", ChannelOperand(SCALE)),
    )
    node = LaneNode(result=Y, operator=Copy(), inputs=(X,), steps=steps)
    assert node.reads == (X, RESIDUAL, SCALE)
    assert node.tensors == (X, RESIDUAL)  # a number for each channel has no layout


def test_convolutions_and_poolings_have_windows():
    case = ConvCase(weight=pattern_weight(4, 4), stride=(2, 1))
    pooled = Window((2, 2), (2, 2))
    pool = Pool2dWindow(kind="max", size=(2, 2), padded=False)
    windows = [
        LaneNode(result=Y, operator=operator, inputs=(X,)).window
        for operator in (Convolution(layer_of(case)), Pooling(pool, pooled), GlobalPool(), Copy())
    ]
    assert windows == [case.window, pooled, None, None]
