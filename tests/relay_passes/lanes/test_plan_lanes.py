import pytest
from tvm import relax

from relay_passes.lanes.plan import PlannedConvolution, PlannedNode, PlannedPair
from relay_passes.lanes.plan_lanes import PlanOptions, plan_lanes
from relay_passes.relax_ir.rebuild_main import MainRebuilder
from te_schedules.cpu.conv2d import conv2d
from te_schedules.cpu.tile_store import OperandSpec
from tests.relay_passes.relax_modules import CPU, Net, random_array
from tests.te_schedules.cpu.count_loads import count_loads
from tests.te_schedules.cpu.lane_kernels import pattern_weight

W = random_array(4, 3, 3, 3)


def plan_of(net: Net, body, **options):
    main = MainRebuilder(net.module(body))
    return plan_lanes(main.bindings, main.result, PlanOptions(cpu=CPU, **options))


def mobile(net, x):
    wide = net(relax.op.nn.relu(net.conv(x, random_array(6, 3, 1, 1))))
    return net.conv(wide, random_array(6, 1, 3, 3), groups=6, padding=1)


def test_every_binding_is_planned_once_and_in_order():
    net = Net((1, 3, 9, 11))

    def body(x):
        y = net(relax.op.nn.relu(net.conv(x, W, padding=1)))
        return net(relax.op.nn.softmax(net(relax.op.nn.max_pool2d(y, (2, 2), (2, 2)))))

    kinds = [type(item) for item in plan_of(net, body).items]
    assert kinds[:3] == [PlannedConvolution, PlannedNode, relax.VarBinding]


def test_a_kernel_knows_the_layouts_of_what_it_reads():
    net = Net((2, 3, 8, 8), (2, 4, 8, 8), (2, 4, 1, 1))

    def body(x, residual, scale):
        y = net(relax.op.add(net.conv(x, W, padding=1), relax.const(random_array(4, 1, 1))))
        return net(relax.op.multiply(net(relax.op.add(y, residual)), scale))

    (planned,) = plan_of(net, body).convolutions
    assert [step.name for step in planned.steps] == ["add", "add", "multiply"]
    bias, residual, scale = (step.operand for step in planned.steps)
    assert bias == OperandSpec()
    assert residual == OperandSpec(batch=2, layout=planned.sources[1])
    assert scale == OperandSpec(batch=2)
    assert planned.geometry.in_layout == planned.sources[0]
    assert planned.geometry.out_layout == planned.output


def test_a_pair_is_one_item():
    net = Net((1, 3, 9, 11))
    plan = plan_of(net, lambda x: mobile(net, x))
    (pair,) = (item for item in plan.items if isinstance(item, PlannedPair))
    assert plan.convolutions == [pair.first, pair.depthwise]
    assert pair.first.choice.schedule.whole_planes


def test_a_pair_that_no_cache_holds_is_two_items_as_if_it_had_not_been_tried():
    net = Net((1, 64, 160, 160))

    def body(x):
        wide = net.conv(x, random_array(2, 64, 1, 1))
        return net.conv(wide, random_array(2, 1, 3, 3), groups=2, padding=1)

    plan = plan_of(net, body)
    assert not any(isinstance(item, PlannedPair) for item in plan.items)
    assert [each.choice.kind for each in plan.convolutions] == ["dense", "depthwise"]


@pytest.mark.parametrize("weight", [random_array(6, 3, 3, 3), pattern_weight(6, 3)])
def test_loads_are_those_of_the_code(weight):
    net = Net((1, 3, 9, 11))
    plan = plan_of(net, lambda x: net.conv(x, weight, padding=1))
    (planned,) = plan.convolutions
    kernel = planned.kernel
    assert planned.loads == count_loads(conv2d(kernel), list(kernel.constants.values()))


def test_what_a_choice_was_made_from_is_kept():
    net = Net((1, 3, 9, 11))
    (planned,) = plan_of(net, lambda x: net.conv(x, pattern_weight(6, 3), padding=1)).convolutions
    dense, pruned = planned.choice.considered
    assert {dense.candidate.kind, pruned.candidate.kind} == {"dense", "pattern"}
    assert planned.choice.chosen is min(dense, pruned, key=lambda each: each.cycles)


def test_convolutions_may_be_left_to_tvm():
    net = Net((1, 3, 9, 11))
    body = lambda x: net.conv(net.conv(x, W, padding=1), random_array(4, 4, 3, 3))  # noqa: E731
    plan = plan_of(net, body, leaves=lambda layer: layer.weight.shape[1] == 3)
    assert [each.layer.in_shape[1] for each in plan.convolutions] == [4]
    assert isinstance(plan.items[0], relax.VarBinding)
