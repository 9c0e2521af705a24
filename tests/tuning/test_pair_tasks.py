import pickle

import numpy as np
import pytest

from te_schedules.cost_feature import COST
from tests.relay_passes.lanes.mobile_modules import mobile_plan
from tests.relay_passes.relax_modules import CPU
from tests.te_schedules.cpu.lane_kernels import run_kernel
from tvm_patdnn.tuning.conv2d_tasks import conv2d_tasks
from tvm_patdnn.tuning.pair_tasks import pair_tasks


def task():
    (found,) = pair_tasks(mobile_plan(), CPU)
    return found


def test_a_pair_is_a_task_of_its_own():
    assert conv2d_tasks(mobile_plan(), CPU) == []
    space = task().space
    assert len(task().layers) == 1
    assert [point.sparse for point in space.starts] == [True, False]  # the default first
    assert set(space.starts) <= set(space.points)
    assert len(set(space.points)) == len(space.points) > 100
    assert len({point.depthwise for point in space.points}) > 3
    assert all(point.first.schedule.whole_planes for point in space.points)


def test_the_cost_is_that_of_both():
    found = task()
    features = found.space.describe(found.space.starts[0])
    assert features["depthwise rows"] >= 0
    assert features[COST] > 5
    assert len(features) > 40


@pytest.mark.parametrize("seed", range(4))
def test_every_point_gives_the_same_result(seed):
    found = task()
    problem = pickle.loads(pickle.dumps(found.problem))
    inputs, operands = problem.arguments()

    def result(kernel):
        arguments = (*inputs, *kernel.constants, *operands)
        return run_kernel(kernel.func, arguments, problem.out_shape)[..., : problem.compared]

    point = found.space.random(np.random.default_rng(seed))
    expected = result(problem.plainest)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(result(problem.kernel(point)), expected, atol=1e-4)
