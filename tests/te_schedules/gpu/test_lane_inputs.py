from te_schedules.gpu.conv2d import conv2d
from te_schedules.gpu.conv2d_schedule import GpuSchedule
from te_schedules.gpu.kernel_sample import sample
from te_schedules.gpu.kernel_table import pruned_weight
from te_schedules.gpu.lane_inputs import lane_tile
from te_schedules.window import Window
from tvm_patdnn.machine.targets import resolve_target
from tvm_patdnn.standalone.device_code import device_code


def source(of):
    return device_code({"main": conv2d(of.kernel)}, resolve_target("opencl")).source


def test_the_rows_and_columns_of_a_lane():
    schedule = GpuSchedule(lanes_x=8, rows=3, columns=2, warps=1, window=1)
    assert lane_tile(Window((3, 3)), schedule) == (5, 4)
    assert lane_tile(Window((3, 5), (2, 1), (1, 2)), schedule) == (7, 10)


def test_only_inputs_that_may_lie_outside_are_checked():
    schedule = GpuSchedule(lanes_x=8, rows=2, warps=2, window=8, staged=False)
    inside = sample(pruned_weight(4, 8), (9, 9), schedule, padding=(0, 0))
    outside = sample(pruned_weight(4, 8), (9, 9), schedule)
    assert " == 2" not in source(inside)
    assert " == 2" in source(outside)
