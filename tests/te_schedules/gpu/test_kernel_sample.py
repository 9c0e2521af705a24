import numpy as np

from te_schedules.gpu.kernel_table import KERNELS


def test_a_sample_is_the_same_every_time():
    one, other = KERNELS["pattern conv2d"](), KERNELS["pattern conv2d"]()
    np.testing.assert_array_equal(one.data, other.data)
    np.testing.assert_array_equal(one.weight, other.weight)


def test_operands_have_the_shapes_that_the_kernel_takes():
    sample = KERNELS["pattern conv2d, channels split"]()
    assert [each.shape for each in sample.operands] == [(1, 6), (2, 6, 9, 14)]


def test_kernels_of_a_grouped_convolution_stand_at_their_channels():
    sample = KERNELS["grouped conv2d"]()
    assert sample.weight.shape[:2] == (20, 3)
    assert sample.kernel.fkw.channels == sample.data.shape[1] == 15
