import pickle

import numpy as np
import pytest
from tvm.target import Target

from relay_passes.int8.plan import plan_int8
from relay_passes.relax_ir.rebuild_main import MainRebuilder
from te_schedules.cpu.int8.winograd_schedule import TileSchedule
from tests.relay_passes.int8.int8_modules import QuantisedNet, random_weight
from tests.te_schedules.cpu.lane_kernels import native
from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.tuning import int8_conv2d_tasks as module
from tvm_patdnn.tuning.int8_conv2d_tasks import int8_conv2d_tasks
from tvm_patdnn.tuning.workshop import Workshop

PRUNED = random_weight(8, 8, 3, 3) * (np.arange(64).reshape(8, 8, 1, 1) % 3 == 0).astype(np.int8)
CPU = CpuModel.from_target(native())


def tasks(*, transforms: bool = True):
    """Two pruned layers that are alike, and a dense one."""
    net = QuantisedNet((1, 8, 13, 15))

    def layer(x, weight, **options):
        return net.integers(net.quantised_conv(net.numbers(x), weight, **options))

    def body(x):
        for weight in (PRUNED, PRUNED[::-1]):
            x = layer(x, weight, padding=1)
        return layer(x, random_weight(5, 8, 3, 3))

    main = MainRebuilder(net.module(body))
    plan = plan_int8(main.bindings, main.result, {}, CPU, transforms=transforms)
    return int8_conv2d_tasks(plan, CPU)


def test_layers_that_are_alike_are_one_task():
    pruned, dense = tasks()
    assert (len(pruned.layers), len(dense.layers)) == (2, 1)
    starts = pruned.space.starts
    assert sorted(point.sparse for point in starts) == [False, False, True]
    assert starts[0].sparse  # the default
    strips = [point for point in dense.space.points if not isinstance(point, TileSchedule)]
    assert {point.sparse for point in strips} == {True}
    for task in (pruned, dense):
        assert set(task.space.starts) <= set(task.space.points)
        assert len(set(task.space.points)) == len(task.space.points)
        assert len(task.space.describe(task.space.starts[0])) > 20
        (tiles,) = (point for point in task.space.starts if isinstance(point, TileSchedule))
        assert len(task.space.describe(tiles)) > 20


@pytest.mark.parametrize(("by_transforms", "sparse"), [(False, True), (True, False)])
def test_what_is_built_by_default_is_the_first_start(monkeypatch, by_transforms, sparse):
    own = module.choose_conv2d

    def chosen(layer, cpu, **how):
        return next(module.tile_kernels(layer, cpu)) if by_transforms else own(layer, cpu, **how)

    monkeypatch.setattr(module, "choose_conv2d", chosen)
    default = tasks()[0].space.starts[0]
    assert (isinstance(default, TileSchedule), default.sparse) == (by_transforms, sparse)


def test_transforms_may_be_left_out():
    for task in tasks(transforms=False):
        assert not any(isinstance(point, TileSchedule) for point in task.space.points)


def test_trials_give_the_bytes_of_the_plainest_kernel():
    pytest.importorskip("psutil")
    task = tasks()[0]
    assert pickle.loads(pickle.dumps(task.problem)).out_shape == task.problem.out_shape
    rng = np.random.default_rng(0)
    points = [*task.space.starts, *(task.space.random(rng) for _ in range(3))]
    with Workshop(Target(native()), 1) as workshop:
        found = list(workshop.measure(task, points, turns=1))
    assert [each.error for each in found] == [""] * len(points)
    assert all(0 < each.seconds < 1 for each in found)
