from dataclasses import replace

import numpy as np

from tests.te_schedules.cpu.int8.int8_reference import int8_layer


def test_sums_that_32_bits_do_not_hold_are_not_exact():
    layer = int8_layer(np.full((2, 3, 1, 1), 127, np.int8), (1, 3, 4, 4))
    assert layer.is_exact
    assert not replace(layer, bias=np.full(2, 2**31 - 1, np.int32)).is_exact


def test_steps_that_float32_does_not_round_are_not_exact():
    layer = int8_layer(np.full((2, 3, 1, 1), 127, np.int8), (1, 3, 4, 4))
    wide = replace(layer.store, scale=np.full(2, 100, np.float32))
    assert not replace(layer, store=wide).is_exact


def test_a_product_of_vectors_is_flat():
    assert int8_layer(np.ones((2, 3, 1, 1), np.int8), (1, 3, 1, 1)).flat
    assert not int8_layer(np.ones((2, 3, 1, 1), np.int8), (1, 3, 1, 2)).flat


def test_rows_of_what_is_pointwise_may_be_of_one_pixel():
    layer = int8_layer(np.ones((2, 3, 1, 1), np.int8), (1, 3, 4, 5))
    assert layer.pointwise
    assert (layer.as_column.in_shape, layer.as_column.out_shape) == ((1, 3, 20, 1), (1, 2, 20, 1))


def test_steps_padding_and_neighbours_are_not_pointwise():
    for kernel, options in ((1, {"stride": (2, 2)}), (1, {"padding": (0, 0, 0, 1)}), (3, {})):
        weight = np.ones((2, 3, kernel, kernel), np.int8)
        assert not int8_layer(weight, (1, 3, 5, 5), **options).pointwise
