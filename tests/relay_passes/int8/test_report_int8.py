from relay_passes.int8.report_int8 import report_int8
from tests.relay_passes.int8.int8_modules import QuantisedNet, planned, random_weight


def test_a_row_for_each_convolution():
    net, weight = QuantisedNet((1, 3, 8, 8)), random_weight(4, 3, 3, 3)
    weight[0] = 0

    def body(x):
        first = net.numbers(net.integers(net.quantised_conv(net.numbers(x), weight)))
        return net.integers(net.quantised_conv(first, random_weight(5, 4, 6, 6)))

    (row,) = report_int8(planned(net.module(body)))
    assert (row.dtype, row.kept_kernels, row.kernels) == ("int8", 9, 12)
    assert (row.in_shape, row.out_shape) == ([1, 3, 8, 8], [1, 4, 6, 6])
    assert row.dense_bytes == weight.size
