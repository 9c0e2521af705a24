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
