import pytest

from te_schedules.gpu.block_windows import lane_place
from te_schedules.gpu.conv2d import conv2d
from te_schedules.gpu.conv2d_schedule import GpuSchedule
from te_schedules.gpu.kernel_table import KERNELS
from tvm_patdnn.machine.targets import resolve_target
from tvm_patdnn.standalone.device_code import device_code


def source(of):
    return device_code({"main": conv2d(of.kernel)}, resolve_target("opencl")).source


@pytest.mark.parametrize(("lanes_x", "last"), [(8, (3, 7)), (14, (0, 3))])
def test_lanes_without_a_place_do_what_others_do(lanes_x, last):
    schedule = GpuSchedule(lanes_x=lanes_x, rows=2, warps=1, window=1)
    places = [lane_place(schedule, lane) for lane in range(32)]
    assert places[lanes_x] == (1, 0)
    assert places[-1] == last
    assert {strip for strip, _ in places} == set(range(schedule.strips))


def test_what_is_not_staged_shares_nothing_and_never_waits():
    staged, not_staged = (
        source(KERNELS[name]()) for name in ("pattern conv2d", "pattern conv2d, unstaged")
    )
    assert "__local" in staged
    assert "barrier(" in staged
    assert "__local" not in not_staged
    assert "barrier(" not in not_staged
