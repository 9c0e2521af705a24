from te_schedules.cpu.conv2d_function import conv2d_function
from tests.te_schedules.cpu.lane_kernels import ConvCase, pattern_weight


def test_parameters_are_the_input_those_of_the_kernel_and_the_output():
    kernel = ConvCase(weight=pattern_weight(5, 7), batch=2).kernel()
    seen = []
    conv2d_function(kernel, lambda data, rest, output: seen.append((data, list(rest), output)))
    ((data, rest, output),) = seen
    geometry = kernel.geometry
    assert [int(n) for n in data.shape] == list(geometry.in_layout.shape(2, 7))
    assert [int(n) for n in output.shape] == list(geometry.out_layout.shape(2, 5))
    assert [each.dtype for each in rest] == [dtype for _, _, dtype in kernel.params]
