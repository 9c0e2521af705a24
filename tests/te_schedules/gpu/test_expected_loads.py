import re

import numpy as np
import pytest

from te_schedules.gpu.conv2d import conv2d
from te_schedules.gpu.conv2d_schedule import GpuSchedule
from te_schedules.gpu.expected_loads import expected_loads
from te_schedules.gpu.kernel_sample import sample
from te_schedules.gpu.kernel_table import pruned_weight
from tvm_patdnn.machine.targets import resolve_target
from tvm_patdnn.standalone.device_code import device_code


def test_a_dense_1x1_layer():
    schedule = GpuSchedule(lanes_x=8, rows=3, warps=1, window=4)
    kernel = sample(np.ones((4, 6, 1, 1), np.float32), (24, 8), schedule, batch=2).kernel
    found = expected_loads(kernel)
    tiles = 2 * 2  # of 12 rows, for each image
    assert found.inputs == tiles * 4 * 6 * 3
    assert found.products == tiles * 4 * 6 * 3


READS = {1: r"_ptr_\d+\[0\] = _ptr_\d+\[\(?_ptr_\d+\[0\]", 2: r"= \*\(float2\*\)"}


@pytest.mark.parametrize("columns", [1, 2])
def test_it_is_what_the_code_of_each_pattern_does(columns):
    schedule = GpuSchedule(lanes_x=8, rows=2, columns=columns, warps=1, window=4)
    kernel = sample(pruned_weight(4, 4, 2), (9, 17), schedule, filter_block=2).kernel
    code = device_code({"conv": conv2d(kernel)}, resolve_target("cuda -arch=sm_80")).source
    loops = [each.split("\n  }")[0] for each in code.split("{ break; }")[1:]]
    down, across = schedule.tiles(kernel.geometry.out_size)
    inputs = products = 0
    for body, kernels in zip(loops, kernel.fkw.kernel_counts, strict=True):
        inputs += down * across * kernels * columns * len(re.findall(READS[columns], body))
        products += down * across * kernels * len(re.findall(r"= \(\w+\[0\] \+ \(", body))
    found = expected_loads(kernel)
    assert (found.inputs, found.products) == (inputs, products)
    assert inputs > 0
