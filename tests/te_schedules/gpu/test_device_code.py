import pytest

from te_schedules.gpu.conv2d import conv2d
from te_schedules.gpu.device_code import device_code
from te_schedules.gpu.kernel_table import KERNELS
from tests.te_schedules.gpu.run_kernel import target

MARKS = {
    "opencl": "__kernel void",
    "cuda": "__global__ void __launch_bounds__",
    "metal": "kernel void",
}


@pytest.mark.parametrize("kind", MARKS)
def test_a_kernel_is_compiled_without_its_device(kind):
    kernel = KERNELS["pattern conv2d"]().kernel
    cuda = {"arch": "sm_80"} if kind == "cuda" else {}
    code = device_code(conv2d(kernel), target(kind, **cuda), "conv")
    assert MARKS[kind] in code.source
    assert code.launch.function == "conv_kernel"
    assert code.launch.block == (32, 2, 1)
    assert code.launch.grid == (4, 2, 1)


def test_arguments_are_in_the_order_of_the_source():
    kernel = KERNELS["pattern conv2d"]().kernel
    code = device_code(conv2d(kernel), target("opencl"))
    head = code.source[code.source.index("__kernel") :].split(")")[0]
    places = [head.index(f"{name}_ptr") for name in code.launch.arguments]
    assert places == sorted(places)
    assert set(code.launch.arguments) == {"data", *kernel.constants, "operand0", "output"}
