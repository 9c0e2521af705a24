import pickle
from dataclasses import replace

import numpy as np
import pytest
import tvm
from tvm import relax

from relay_passes.gpu.plan_gpu import GpuPlanOptions, plan_gpu
from relay_passes.gpu.score_kernels import gpu_lists
from relay_passes.relax_ir.rebuild_main import MainRebuilder
from te_schedules.gpu.conv2d_space import fits
from te_schedules.gpu.kernel_table import pruned_weight
from tests.device.servers import serving
from tests.gpu.opencl import require_opencl
from tests.relay_passes.relax_modules import Net, random_array
from tvm_patdnn.machine.gpu_model import GpuModel
from tvm_patdnn.machine.targets import resolve_target
from tvm_patdnn.tuning.build_trials import (
    ARGUMENTS,
    CONSTANTS,
    LIBRARY,
    build_trial,
    make_arguments,
)
from tvm_patdnn.tuning.device_place import DevicePlace
from tvm_patdnn.tuning.gpu_conv2d_tasks import gpu_conv2d_tasks
from tvm_patdnn.tuning.measure_trials import measure_trials
from tvm_patdnn.tuning.places import HERE
from tvm_patdnn.tuning.trial_target import target_config

TARGET = resolve_target("opencl")
GPU = GpuModel.from_target(TARGET)
PRUNED = pruned_weight(8, 8, kept=0.4)


def tasks():
    net = Net((1, 8, 9, 11))

    def three(x):
        y = net(relax.op.nn.relu(net.conv(x, PRUNED, padding=1)))
        y = net(relax.op.nn.relu(net.conv(y, 2 * PRUNED, padding=1)))
        return net.conv(y, random_array(4, 8, 3, 3), padding=1)

    main = MainRebuilder(net.module(three))
    plan = plan_gpu(main.bindings, main.result, GpuPlanOptions(gpu=GPU))
    return gpu_conv2d_tasks(list(plan.values()), GPU)


def test_layers_that_are_alike_are_one_task():
    first, second = tasks()
    assert len(first.layers) == 2
    assert len(second.layers) == 1
    assert first.key != second.key


def test_the_space_begins_with_the_defaults():
    pruned, dense = tasks()
    assert {point.sparse for point in pruned.space.points} == {False, True}
    assert {point.sparse for point in dense.space.points} == {False}
    assert [point.sparse for point in pruned.space.starts] == [True, False]  # the default first
    assert {point.schedule.staged for point in dense.space.points} == {False, True}
    for task in (pruned, dense):
        assert set(task.space.starts) <= set(task.space.points)
        assert len(set(task.space.points)) == len(task.space.points) > 20
        assert len(task.space.describe(task.space.starts[0])) > 20


def written(folder, splits=1):
    """Writes the arguments of a task, and one trial of it in a folder of its own, twice."""
    task = tasks()[0]
    start = task.space.starts[0]
    point = replace(start, schedule=replace(start.schedule, window=4, splits=splits))
    (folder / "problem").write_bytes(pickle.dumps(task.problem))
    make_arguments(str(folder / "problem"), str(folder / ARGUMENTS))
    trials = [folder / "one", folder / "other"]
    for trial in trials:
        trial.mkdir()
        build_trial(str(folder / "problem"), point, target_config(TARGET), str(trial))
    return map(str, trials)


def test_every_point_fits_the_layer():
    for task in tasks():
        geometry = task.problem.geometry
        for point in task.space.points:
            lists = gpu_lists(task.problem.candidates[point.sparse, point.group])
            assert fits(point.schedule, geometry, lists, GPU)


@pytest.mark.parametrize("splits", [1, 2])
def test_a_trial_is_built_checked_and_timed(splits, tmp_path):
    require_opencl()
    one, other = written(tmp_path, splits)
    assert np.load(f"{one}/{CONSTANTS}").files == []
    (found,) = measure_trials(HERE, str(tmp_path), [one], turns=2, cold_bytes=0)
    assert found.error == ""
    assert 0 < found.seconds < 10
    stored = dict(np.load(tmp_path / ARGUMENTS))
    np.savez(tmp_path / ARGUMENTS, **{**stored, "expected": stored["expected"] + 9})
    (found,) = measure_trials(HERE, str(tmp_path), [other], turns=1, cold_bytes=0)
    assert found.error.startswith("wrong result: differs by 9")


@pytest.mark.parametrize(
    "count", [pytest.param(3, id="a few"), pytest.param(40, id="many", marks=pytest.mark.long)]
)
def test_any_point_computes_the_layer(count, tmp_path):
    require_opencl()
    rng = np.random.default_rng(count)
    for number, task in enumerate(tasks()):
        problem, target = tmp_path / f"problem{number}", target_config(TARGET)
        problem.write_bytes(pickle.dumps(task.problem))
        make_arguments(str(problem), str(tmp_path / ARGUMENTS))
        for at in rng.choice(len(task.space.points), count // 2 + number, replace=False):
            folder = tmp_path / f"{number}-{at}"
            folder.mkdir()
            build_trial(str(problem), task.space.points[at], target, str(folder))
            (found,) = measure_trials(HERE, str(tmp_path), [str(folder)], turns=1, cold_bytes=0)
            assert found.error == "", task.space.points[at]


def test_a_trial_on_a_device(tmp_path):
    require_opencl()
    one, _ = written(tmp_path)
    with serving() as (address, _):
        place = DevicePlace(address=address, threads=1, wait_s=60)
        (found,) = measure_trials(place, str(tmp_path), [one], turns=1, cold_bytes=0)
        place.release()
    assert found.error == ""
    assert 0 < found.seconds < 10


def test_a_trial_wants_the_arguments_that_it_is_for(tmp_path):
    task = tasks()[0]
    (tmp_path / "problem").write_bytes(pickle.dumps(task.problem))
    start = task.space.starts[0]
    build_trial(str(tmp_path / "problem"), start, target_config(TARGET), str(tmp_path))
    module = tvm.runtime.load_module(str(tmp_path / LIBRARY))
    with pytest.raises(TypeError, match="expected the inputs and one output"):
        module["main"]()
