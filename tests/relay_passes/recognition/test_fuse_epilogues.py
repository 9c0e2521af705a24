import numpy as np
from tvm import relax

from relay_passes.recognition.fuse_epilogues import fuse_epilogues
from relay_passes.recognition.graph import (
    ChannelOperand,
    Convolution,
    Copy,
    LaneNode,
    TensorOperand,
)
from relay_passes.recognition.recognize_operators import recognize
from relay_passes.relax_ir.values import count_uses
from te_schedules.epilogue import Step
from tests.relay_passes.relax_modules import Net, bindings_of, const, random_array

W = random_array(4, 4, 3, 3)


def fused(body) -> list:
    """What becomes of a convolution 4 -> 4 and ``body(net, its result)``."""
    net = Net((1, 4, 6, 6))
    mod = net.module(lambda x: body(net, net.conv(x, W, padding=1)))
    bindings = bindings_of(mod)
    items, in_lanes = [], set()
    for binding in bindings:
        node = recognize(binding.var, binding.value, in_lanes, {})
        if node is not None:
            in_lanes.add(node.result)
        items.append(node or binding)
    return fuse_epilogues(items, count_uses(bindings, [mod["main"].body.body]))


def nodes(items) -> list[LaneNode]:
    return [item for item in items if isinstance(item, LaneNode)]


def steps(items) -> list[list[str]]:
    return [[step.name for step in node.steps] for node in nodes(items)]


def test_a_chain_is_one_node():
    bias = relax.const(random_array(1, 4, 1, 1))
    items = fused(lambda net, x: net(relax.op.nn.relu(net(relax.op.add(x, bias)))))
    (node,) = nodes(items)
    assert isinstance(node.operator, Convolution)
    add, relu = node.steps
    assert (add.name, relu) == ("add", Step("relu"))
    assert isinstance(add.operand, ChannelOperand)
    assert np.array_equal(add.operand.value, random_array(1, 4, 1, 1).reshape(-1))
    assert len(items) == 2  # the other one names the result


def test_a_residual_goes_to_the_later_of_its_producers():
    def body(net, x):
        y = net.conv(x, W, padding=1)
        return net(relax.op.add(x, y))

    first, second = nodes(fused(body))
    assert first.steps == ()
    (add,) = second.steps
    assert add.name == "add"
    assert isinstance(add.operand, TensorOperand)
    assert add.operand.var.same_as(first.result)


def test_a_value_that_others_read_is_not_fused_away():
    def body(net, x):
        return net(relax.op.sigmoid(x)), net(relax.op.tanh(x))

    items = fused(body)
    assert steps(items) == [[], ["sigmoid"], ["tanh"]]
    assert [isinstance(node.operator, Convolution) for node in nodes(items)] == [True, False, False]


def test_a_result_is_not_fused_away():
    assert steps(fused(lambda net, x: (x, net(relax.op.tanh(x))))) == [[], ["tanh"]]


def test_a_gate_of_the_value_itself():
    def body(net, x):
        return net(relax.op.multiply(net(relax.op.sigmoid(x)), x))

    (node,) = nodes(fused(body))
    assert node.steps == (Step("gate", gate=(Step("sigmoid"),)),)


def test_a_gate_of_a_value_that_is_read_elsewhere():
    def body(net, x):
        gated = net(relax.op.multiply(x, net(relax.op.sigmoid(x))))
        return net(relax.op.add(gated, net(relax.op.exp(x))))

    first, *others = nodes(fused(body))
    assert first.steps == ()
    names = [step.name for node in others for step in node.steps]
    assert names.count("gate") == 1
    assert names.count("exp") == 1


def test_a_value_added_to_itself_is_left_alone():
    items = fused(lambda net, x: net(relax.op.add(x, x)))
    assert steps(items) == [[], ["add"]]
    assert nodes(items)[1].operator == Copy()


def test_steps_are_fused_into_a_concatenation_but_not_through_one():
    def body(net, x):
        y = net(relax.op.exp(x))
        return net(relax.op.nn.relu(net(relax.op.concat([y, net(relax.op.tanh(y))], axis=1))))

    items = fused(body)
    assert steps(items) == [["exp"], ["tanh"], ["relu"]]
    assert len(nodes(items)[2].inputs) == 2


def test_pooling_keeps_no_steps():
    def body(net, x):
        return net(relax.op.nn.relu(net(relax.op.nn.max_pool2d(x, (2, 2), (2, 2)))))

    assert steps(fused(body)) == [[], [], ["relu"]]


def test_neighbouring_clips_are_one():
    def body(net, x):
        low = net(relax.op.maximum(x, const(0.0)))
        return net(relax.op.minimum(low, const(6.0)))

    (node,) = nodes(fused(body))
    assert node.steps == (Step("clip", numbers=(0.0, 6.0)),)


def test_what_is_no_node_stays_in_its_place():
    def body(net, x):
        y = net(relax.op.nn.softmax(x, axis=1))
        return net(relax.op.nn.relu(x)), y

    items = fused(body)
    kinds = [isinstance(item, LaneNode) for item in items]
    assert kinds[:3] == [True, False, True]
