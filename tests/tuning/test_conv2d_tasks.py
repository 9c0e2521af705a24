import pickle

import numpy as np
import pytest
from tvm import relax
from tvm_ffi import structural_hash

from relay_passes.lanes.plan_lanes import PlanOptions, plan_lanes
from relay_passes.relax_ir.rebuild_main import MainRebuilder
from te_schedules.cost_feature import COST
from te_schedules.cpu.winograd_schedule import WinogradSchedule
from tests.relay_passes.relax_modules import CPU, Net, random_array
from tests.te_schedules.cpu.lane_kernels import pattern_weight, run_kernel
from tvm_patdnn.tuning.conv2d_tasks import conv2d_tasks

PRUNED = pattern_weight(8, 8, ["##./##./...", ".##/.##/..."], 0.3)


def tasks_of(body):
    net = Net((1, 8, 9, 11))
    main = MainRebuilder(net.module(lambda x: body(net, x)))
    return conv2d_tasks(plan_lanes(main.bindings, main.result, PlanOptions(cpu=CPU)), CPU)


def three(net, x):
    y = net(relax.op.nn.relu(net.conv(x, PRUNED, padding=1)))
    y = net(relax.op.nn.relu(net.conv(y, 2 * PRUNED, padding=1)))
    return net.conv(y, random_array(4, 8, 3, 3), padding=1)


def test_layers_that_are_alike_are_one_task():
    first, second = tasks_of(three)
    assert len(first.layers) == 2
    assert len(second.layers) == 1
    assert first.key != second.key


def test_the_space_of_a_pruned_layer_is_sparse_and_dense_and_begins_with_the_defaults():
    pruned, dense = tasks_of(three)
    assert {point.sparse for point in pruned.space.points} == {False, True}
    assert {point.sparse for point in dense.space.points} == {False}
    assert [point.sparse for point in pruned.space.starts] == [True, False]  # the default first
    for task in (pruned, dense):
        assert set(task.space.starts) <= set(task.space.points)
        assert len(set(task.space.points)) == len(task.space.points)
        assert len(task.space.describe(task.space.starts[0])) > 20


def test_no_two_points_have_the_same_code():
    task = tasks_of(three)[0]
    some = np.random.default_rng(0).permutation(len(task.space.points))[:120]
    points = [*task.space.starts, *(task.space.points[i] for i in some)]
    codes = {point: structural_hash(task.problem.kernel(point).func) for point in points}
    assert len(set(codes.values())) == len(codes)


def test_all_points_have_an_expected_cost_and_the_defaults_are_among_the_cheapest():
    for task in tasks_of(three):
        costs = {point: task.space.describe(point)[COST] for point in task.space.points}
        assert {isinstance(point.schedule, WinogradSchedule) for point in costs} == {False, True}
        best = min(costs[start] for start in task.space.starts)
        assert best <= np.quantile(list(costs.values()), 0.02)


@pytest.mark.parametrize("at", [0, -1])
def test_a_problem_that_was_pickled_gives_kernels_with_the_same_result(at):
    task = tasks_of(three)[0]
    problem = pickle.loads(pickle.dumps(task.problem))
    inputs, operands = problem.arguments()

    def result(kernel):
        output = run_kernel(kernel.func, (*inputs, *kernel.constants, *operands), problem.out_shape)
        return output[..., : problem.compared]

    expected = result(problem.plainest)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(result(problem.kernel(task.space.points[at])), expected, atol=1e-4)
