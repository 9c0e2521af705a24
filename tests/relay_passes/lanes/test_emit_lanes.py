import tvm
from tvm import relax

from relay_passes.lanes.emit_lanes import emit_lanes
from relay_passes.lanes.plan_lanes import PlanOptions, plan_lanes
from relay_passes.relax_ir.rebuild_main import MainRebuilder
from te_schedules.cpu.conv2d import Conv2d, conv2d
from tests.relay_passes.relax_modules import (
    CPU,
    Net,
    assert_same_numbers,
    operators,
    random_array,
)

W = random_array(4, 3, 3, 3)


def emitted(mod: tvm.IRModule) -> list[str]:
    """What a module becomes, operator by operator; checks its numbers."""
    main = MainRebuilder(mod)
    plan = plan_lanes(main.bindings, main.result, PlanOptions(cpu=CPU))
    new = main.rebuild(lambda: emit_lanes(main, plan))
    assert_same_numbers(mod, new)
    return [name.rstrip("0123456789") for name in operators(new) if name != "reshape"]


def test_each_kind_of_kernel_is_called():
    net = Net((1, 3, 16, 16), (1, 4, 1, 1))

    def body(x, scale):
        y = net(relax.op.multiply(net.conv(x, W, padding=1), scale))
        pooled = net(relax.op.nn.max_pool2d(y, (2, 2), (2, 2)))
        twice = net(relax.op.concat([pooled, pooled], axis=1))
        return net(relax.op.mean(twice, axis=[2, 3], keepdims=True))

    expected = ["relayout", "dense_conv2d", "pool2d", "elementwise", "global_average_pool"]
    assert emitted(net.module(body)) == expected


def test_a_tensor_is_laid_out_once_for_all_its_readers():
    net = Net((1, 3, 8, 8))

    def body(x):
        one, two = (net.conv(x, random_array(4, 3, 3, 3, seed=i), padding=1) for i in (1, 2))
        return net(relax.op.add(one, two))

    assert emitted(net.module(body)).count("relayout") == 2  # the other one leaves the lanes


def test_what_is_read_outside_leaves_the_lanes_once():
    net = Net((1, 3, 8, 8))

    def body(x):
        y = net.conv(x, W, padding=1)
        return net(relax.op.nn.softmax(y)), net(relax.op.nn.log_softmax(y)), y

    expected = ["relayout", "dense_conv2d", "relayout", "softmax", "log_softmax"]
    assert emitted(net.module(body)) == expected


def test_a_pair_is_one_call_with_the_operands_of_both():
    net = Net((1, 3, 8, 8), (1, 6, 8, 8))

    def body(x, residual):
        bias = relax.const(random_array(6, 1, 1))
        wide = net(relax.op.add(net.conv(x, random_array(6, 3, 1, 1)), bias))
        deep = net.conv(wide, random_array(6, 1, 3, 3), groups=6, padding=1)
        return net(relax.op.add(deep, residual))

    found = emitted(net.module(body))
    assert found == ["relayout", "relayout", "dense_conv2d_depthwise_conv2d", "relayout"]


def test_layers_that_are_equal_but_for_their_weights_share_code_that_is_generated_once(monkeypatch):
    made = []
    monkeypatch.setattr(Conv2d, "generate", lambda kernel: made.append(kernel) or conv2d(kernel))
    net = Net((1, 4, 8, 8))

    def body(x):
        for i in range(3):
            x = net.conv(x, random_array(4, 4, 3, 3, seed=i), padding=1)
        return x

    assert emitted(net.module(body)).count("dense_conv2d") == 3
    assert len(made) < 3
