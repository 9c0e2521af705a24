import pytest
from tvm import relax

from relay_passes.int8.report_int8 import notes_on_numbers, report_int8
from tests.relay_passes.int8.int8_modules import QuantisedNet, planned, random_weight
from tests.relay_passes.relax_modules import random_array
from tvm_patdnn.sparse.weight_key import weight_key


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


W, WIDE = random_weight(4, 3, 3, 3), random_weight(4, 3, 5, 5)


def result_on_numbers(net, x):
    return net.quantised_conv(net.numbers(x), W)


def weights_on_numbers(net, x):
    return net.integers(net.conv(net.numbers(x), random_array(4, 3, 3, 3)))


def input_on_numbers(net, x):
    return net.integers(net.quantised_conv(net(relax.op.tanh(net.numbers(x))), W))


def from_one_value(net, x):
    return net.integers(net.quantised_conv(net.numbers(x), WIDE, padding=2))


@pytest.mark.parametrize(
    ("body", "size", "reason"),
    [
        (result_on_numbers, 8, "its result is not quantised"),
        (weights_on_numbers, 8, "its weights are not quantised"),
        (input_on_numbers, 8, "its input is not quantised"),
        (from_one_value, 1, "there is no int8 kernel for it"),
    ],
)
def test_why_a_convolution_stays_on_numbers(body, size, reason):
    net = QuantisedNet((1, 3, size, size))
    (said,) = notes_on_numbers(planned(net.module(lambda x: body(net, x)))).values()
    assert said.startswith(f"in float32, as {reason}")


def test_notes_are_by_the_names_of_layers():
    net = QuantisedNet((1, 3, 8, 8))
    mod = net.module(lambda x: result_on_numbers(net, x))
    weight, *_ = planned(mod).known.constants.values()
    names = {weight_key(weight.values): "stem"}
    assert list(notes_on_numbers(planned(mod, **names))) == ["stem"]
