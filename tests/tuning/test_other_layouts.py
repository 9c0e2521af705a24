"""Convolutions in the split that suits them second best: the same result, elsewhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnxruntime
import pytest

import tvm_patdnn
from relay_passes.lanes.plan_lanes import PlanOptions, plan_lanes
from relay_passes.pipeline import plan_pipeline
from relay_passes.relax_ir.rebuild_main import MainRebuilder
from tests.built import inputs, pruned_network
from tests.relay_passes.relax_modules import CPU, Net, random_array
from tests.te_schedules.cpu.lane_kernels import run_kernel
from tvm_patdnn.compilation import Compilation, Request
from tvm_patdnn.records.families import FAMILIES
from tvm_patdnn.records.record_files import append_records
from tvm_patdnn.records.tuning_key import without_halos
from tvm_patdnn.records.tuning_records import Record
from tvm_patdnn.tuning.network_tasks import network_tasks
from tvm_patdnn.tuning.other_layouts import other_layouts


def plan_of(size):
    net = Net((1, 4, *size))
    module = net.module(lambda x: net.conv(x, random_array(4, 4, 3, 3), padding=1))
    main = MainRebuilder(module)
    return plan_lanes(main.bindings, main.result, PlanOptions(cpu=CPU))


@pytest.mark.parametrize("size", [(7, 7), (14, 14), (9, 30)])
def test_a_layer_has_tasks_in_other_splits_with_the_same_halos(size):
    (planned,) = plan_of(size).convolutions
    ((key, tasks),) = other_layouts(plan_of(size), CPU).items()
    assert key == planned.key
    layouts = {without_halos(each.key.layout) for each in tasks}
    assert without_halos(key.layout) not in layouts
    assert len(layouts) == len(tasks) > 0
    for task in tasks:
        assert task.key.workload == key.workload
        own, other = planned.geometry, task.problem.geometry
        assert own.in_layout.halo == other.in_layout.halo
        assert own.out_layout.halo == other.out_layout.halo
        assert list(task.layers) == [planned.layer.name]


def test_a_plane_that_fits_no_other_split_well_has_none():
    assert list(other_layouts(plan_of((1, 64)), CPU).values()) == [[]]


def test_its_kernels_are_right():
    ((task, *_),) = other_layouts(plan_of((7, 7)), CPU).values()
    (data,), _ = task.problem.arguments()
    plainest = task.problem.plainest
    expected = run_kernel(plainest.func, [data, *plainest.constants], task.problem.out_shape)
    for point in task.space.starts:
        kernel = task.problem.kernel(point)
        found = run_kernel(kernel.func, [data, *kernel.constants], task.problem.out_shape)
        most = task.problem.compared
        np.testing.assert_allclose(found[..., :most], expected[..., :most], atol=1e-4)


def test_a_build_takes_the_layouts_that_were_decided_for(tmp_path):
    request = Request(onnx_model=pruned_network())
    tasks = network_tasks(Compilation.of(request, lambda phase: None))
    for task in tasks:
        for each, seconds in ((task, 1.0), (task.elsewhere[0], 0.5)):
            append_records(tmp_path / "log.jsonl", [decision(each, seconds)])
    compilation = Compilation.of(replace(request, logs=tmp_path), lambda phase: None)
    with compilation.target:
        plan = plan_pipeline(compilation.model.module, compilation.options)
    for each, task in zip(plan.convolutions, tasks, strict=True):
        assert without_halos(each.key.layout) == without_halos(task.elsewhere[0].key.layout)
        assert "measured" in each.choice.reason
    built = tvm_patdnn.build(pruned_network(), logs=tmp_path)
    session = onnxruntime.InferenceSession(pruned_network().SerializeToString())
    (expected,) = session.run(None, inputs())
    np.testing.assert_allclose(built.run(inputs())["y"], expected, atol=1e-4)


def decision(task, seconds):
    return Record(
        key=task.key,
        version=FAMILIES[task.key.family].version,
        configuration=task.space.starts[0],
        seconds=seconds,
        chosen=True,
    )
