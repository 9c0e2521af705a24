from te_schedules.gpu.conv2d import conv2d, sum_parts
from te_schedules.gpu.kernel_table import KERNELS


def names(func) -> list[str]:
    return [p.name for p in func.params]


def test_arguments_stand_in_the_order_that_is_promised():
    kernel = KERNELS["pattern conv2d"]().kernel
    assert names(conv2d(kernel)) == ["data", *kernel.constants, "operand0", "output"]


def test_a_split_convolution_is_two_kernels():
    kernel = KERNELS["pattern conv2d, channels split"]().kernel
    assert names(conv2d(kernel)) == ["data", *kernel.constants, "parts"]
    assert names(sum_parts(kernel)) == ["parts", "operand0", "operand1", "output"]


def test_halves_are_stored_and_not_summed():
    kernel = KERNELS["pattern conv2d, float16"]().kernel
    func = conv2d(kernel)
    types = {p.name: str(p.dtype) for p in func.params}
    for name in ("data", "weight", "operand0", "output"):
        assert types[name] == "float16"
    assert kernel.constants["weight"].dtype == "float16"
