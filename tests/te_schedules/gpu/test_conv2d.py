from dataclasses import replace

from te_schedules.gpu.conv2d import conv2d, sum_parts
from te_schedules.gpu.kernel_table import KERNELS
from tvm_patdnn.machine.targets import resolve_target
from tvm_patdnn.standalone.device_code import device_code


def names(func) -> list[str]:
    return [p.name for p in func.params]


def test_arguments_stand_in_the_order_that_is_promised():
    kernel = KERNELS["pattern conv2d"]().kernel
    assert names(conv2d(kernel)) == ["data", *kernel.constants, "operand0", "output"]


def test_a_split_convolution_is_two_kernels():
    kernel = KERNELS["pattern conv2d, channels split"]().kernel
    assert names(conv2d(kernel)) == ["data", *kernel.constants, "parts"]
    assert names(sum_parts(kernel)) == ["parts", "operand0", "operand1", "output"]
    assert kernel.parts_shape == (3, *kernel.geometry.out_shape)


def test_a_block_that_visits_few_windows_is_told_which():
    assert list(KERNELS["pattern conv2d"]().kernel.constants) == ["reorder", "lists", "weight"]
    assert list(KERNELS["depthwise conv2d"]().kernel.constants)[3:] == ["first", "cuts"]


def test_halves_are_stored_and_not_summed():
    kernel = KERNELS["pattern conv2d, float16"]().kernel
    func = conv2d(kernel)
    types = {p.name: str(p.dtype) for p in func.params}
    for name in ("data", "weight", "operand0", "output"):
        assert types[name] == "float16"
    assert kernel.constants["weight"].dtype == "float16"


def test_a_compiler_for_cuda_is_told_how_many_blocks_shall_fit():
    kernel = KERNELS["pattern conv2d"]().kernel
    told = replace(kernel, schedule=replace(kernel.schedule, resident=3))
    for target, line in {
        "cuda -arch=sm_80": f"__launch_bounds__({kernel.schedule.threads}, 3)",
        "opencl": "__kernel void main_kernel(",
        "metal": "kernel void main_kernel(",
    }.items():
        assert line in device_code({"main": conv2d(told)}, resolve_target(target)).source
