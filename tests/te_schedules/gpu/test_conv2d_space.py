import numpy as np
import pytest

from te_schedules.gpu.conv2d_cost import GpuLists, busy_blocks, registers, shared_bytes
from te_schedules.gpu.conv2d_geometry import GpuGeometry
from te_schedules.gpu.conv2d_space import best_schedules, fits, schedules
from te_schedules.window import Window
from tests.te_schedules.gpu.test_conv2d_cost import geometry, gpu, lists
from tvm_patdnn.machine.gpu_model import GpuModel
from tvm_patdnn.machine.targets import resolve_target
from tvm_patdnn.sparse.patterns import Pattern


@pytest.mark.parametrize("target", ["cuda -arch=sm_80", "opencl", "metal", "mali"])
@pytest.mark.parametrize("size", [5, 14, 56])
def test_every_schedule_keeps_the_limits(target, size):
    model = GpuModel.from_target(resolve_target(target))
    shape, of = geometry(64, size), lists(1000, 64)
    found = list(schedules(shape, of, model))
    assert found
    for each in found:
        assert each.lanes == model.lanes
        assert each.threads <= model.block_threads
        assert each.staged == (target != "mali")
        assert each.resident == busy_blocks(shape, of, each, model) >= 1
        assert fits(each, shape, of, model)
        assert shared_bytes(shape, of, each) <= model.block_shared_bytes
        most = min(model.thread_registers, model.registers // each.threads)
        assert registers(of, shape.window, each, model) <= most


def test_the_best_come_first():
    found = best_schedules(geometry(64, 28), lists(1000, 64), gpu(), 5)
    times = [estimate.micros for _, estimate in found]
    assert len(times) == 5
    assert times == sorted(times)


def test_few_blocks_are_split_and_many_are_not():
    ((few, _),) = best_schedules(geometry(512, 14), lists(18000, 512), gpu("sm_90"))
    ((many, _),) = best_schedules(geometry(64, 224), lists(300, 64), gpu("sm_90"))
    assert few.splits > 1
    assert many.splits == 1


@pytest.mark.parametrize("groups", [1, 2, 3])
def test_layers_of_few_filters_have_schedules(groups):
    model = GpuModel.from_target(resolve_target("adreno"))
    shape = GpuGeometry.of(Window((3, 3), padding=(1, 1)), (1, 32, 56, 56), (1, groups, 56, 56))
    found = list(schedules(shape, lists(96 * groups, groups, group=1), model))
    assert len(found) > 20
    assert min(each.warps for each in found) == groups if groups < 3 else 4


def test_whatever_does_not_fit_gets_the_smallest_schedule():
    tap = Pattern(kernel_shape=(31, 31), taps=tuple(np.ndindex(31, 31)))
    of = GpuLists(patterns=(tap,), counts=(8,), groups=2, group=4)
    shape = GpuGeometry.of(Window((31, 31)), (1, 4, 64, 64), (1, 8, 34, 34))
    model = GpuModel.from_target(
        resolve_target({"kind": "opencl", "max_shared_memory_per_block": 1024})
    )
    (found,) = schedules(shape, of, model)
    assert (found.warps, found.window, found.rows) == (1, 1, 1)
