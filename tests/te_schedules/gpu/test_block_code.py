from dataclasses import replace

from te_schedules.gpu.conv2d import conv2d
from te_schedules.gpu.kernel_table import KERNELS
from tvm_patdnn.machine.targets import resolve_target
from tvm_patdnn.standalone.device_code import device_code


def test_a_compiler_for_cuda_is_told_how_many_blocks_shall_fit():
    kernel = KERNELS["pattern conv2d"]().kernel
    told = replace(kernel, schedule=replace(kernel.schedule, resident=3))
    for target, line in {
        "cuda -arch=sm_80": f"__launch_bounds__({kernel.schedule.threads}, 3)",
        "opencl": "__kernel void main_kernel(",
        "metal": "kernel void main_kernel(",
    }.items():
        assert line in device_code({"main": conv2d(told)}, resolve_target(target)).source
