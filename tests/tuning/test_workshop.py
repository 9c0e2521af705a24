"""Trials in real processes: those that run, and those that fail in every way."""

from __future__ import annotations

import os
import time
from dataclasses import replace

import pytest

from relay_passes.pipeline import plan_pipeline
from te_schedules.cpu.conv2d_configuration import Conv2dConfiguration
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule
from tests.built import pruned_network
from tvm_patdnn.compilation import Compilation, Request
from tvm_patdnn.errors import TuningError
from tvm_patdnn.tuning.conv2d_tasks import conv2d_tasks
from tvm_patdnn.tuning.problem import TrialKernel
from tvm_patdnn.tuning.workshop import Limits, Workshop

pytest.importorskip("cloudpickle")
pytest.importorskip("psutil")


def sample():
    request = Request(onnx_model=pruned_network(), target="native -num-cores=1")
    compilation = Compilation.of(request, lambda phase: None)
    with compilation.target:
        plan = plan_pipeline(compilation.model.module, compilation.options)
    return conv2d_tasks(plan, compilation.options.cpu)[1], compilation.target


PLAIN = Conv2dConfiguration(sparse=False, schedule=Conv2dSchedule(rows=1, vectors=1))


class Misbehaving:
    """A problem whose kernels fail by the number of their chunks."""

    def __init__(self, problem, *, always: bool = False) -> None:
        self._problem, self._always = problem, always
        self.out_shape, self.out_dtype = problem.out_shape, problem.out_dtype
        self.compared, self.arguments = problem.compared, problem.arguments

    @property
    def plainest(self):
        return self.kernel(PLAIN)

    def kernel(self, configuration):
        kind = 101 if self._always else configuration.schedule.chunks
        kernel = self._problem.kernel(PLAIN)
        if kind == 101:
            raise ValueError("first line\nno such kernel")
        if kind == 102:
            os._exit(1)
        if kind == 103:
            time.sleep(60)
        if kind == 104:
            doubled = [2 * each if each.dtype == "float32" else each for each in kernel.constants]
            return TrialKernel(func=kernel.func, constants=doubled)
        if kind == 105:  # reads far beyond its input
            far = [each + (1 << 28) if each.dtype == "int32" else each for each in kernel.constants]
            return TrialKernel(func=kernel.func, constants=far)
        return kernel


def test_trials():
    task, target = sample()
    bad = replace(task, problem=Misbehaving(task.problem))
    numbers = (1, 101, 102, 103, 104, 105)
    points = [replace(PLAIN, schedule=replace(PLAIN.schedule, chunks=n)) for n in numbers]
    limits = Limits(build_s=12, run_s=60, turns=2)
    with Workshop(target, 1, limits=limits) as workshop:
        good = list(workshop.measure(task, task.space.starts))
        assert all(0 < each.seconds < 1 for each in good)
        found = list(workshop.measure(bad, points))
        again = list(workshop.measure(task, task.space.starts, turns=1))
    assert 0 < found[0].seconds < 1
    assert [each.seconds for each in found[1:]] == [None] * 5
    assert found[1].error == "build: no such kernel"
    assert found[2].error == "build: its process died"
    assert found[3].error == "build: took too long"
    assert found[4].error.startswith("wrong result: differs by ")
    assert found[5].error == "run: its process died"
    assert all(each.seconds for each in again)


def test_a_layer_without_a_kernel_is_named():
    task, target = sample()
    bad = replace(task, problem=Misbehaving(task.problem, always=True))
    with (
        Workshop(target, 1) as workshop,
        pytest.raises(TuningError, match="its plainest kernel does not run here: .*; report it"),
    ):
        list(workshop.measure(bad, task.space.starts))
