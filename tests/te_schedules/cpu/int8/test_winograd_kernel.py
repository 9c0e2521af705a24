from dataclasses import replace

import numpy as np

from te_schedules.cpu.int8.winograd_kernel import takes_transforms
from tests.te_schedules.cpu.int8.instruction_samples import sample_layer
from tests.te_schedules.cpu.int8.int8_reference import int8_layer
from tests.te_schedules.cpu.int8.tile_samples import tile_conv2d


def full_layer(channels: int, in_zero: int = 0):
    """A layer of the largest weights, of which a bias takes the mean."""
    weight = np.full((4, channels, 3, 3), 127, np.int8)
    layer = int8_layer(weight, (1, channels, 8, 8), padding=(1, 1, 1, 1), in_zero=in_zero)
    bias = -in_zero * weight.astype(np.int64).sum((1, 2, 3))
    return replace(layer, bias=bias.astype(np.int32))


def test_only_windows_that_have_transforms_are_taken():
    taken = {name for name in ("3x3", "1x1", "3x3, stride 2", "5x3, all else", "groups")
             if takes_transforms(sample_layer(name))}  # fmt: skip
    assert taken == {"3x3"}


def test_what_could_not_fit_in_32_bits_is_not_exact():
    most = (2**25 - 1) // (9 * 127 * 255)
    assert tile_conv2d(full_layer(most)).is_exact
    assert not tile_conv2d(full_layer(most + 1)).is_exact
    assert tile_conv2d(full_layer(most + 1), height=2, width=2).is_exact
    assert tile_conv2d(full_layer(2 * most - 1, in_zero=127)).is_exact  # of either sign


def test_constants_are_of_the_kernels_sizes():
    kernel = tile_conv2d(sample_layer("3x3"), "avx2", group=3)
    bias, scale, weight = kernel.constants.values()
    assert weight.shape == (36, 3, 3, 3)
    assert weight.dtype == np.int32
    np.testing.assert_array_equal(bias >> 6, kernel.layer.own_bias)
    np.testing.assert_array_equal(scale * 64, kernel.layer.store.scale)


def test_places_are_an_odd_number_of_lines_apart():
    kernel = tile_conv2d(sample_layer("3x3, large"), "avx2")
    assert kernel.place_words * 2 // 64 % 2 == 1
    assert kernel.place_sums * 4 // 64 % 2 == 1


def test_counts():
    kernel = tile_conv2d(sample_layer("3x3", batch=1), "avx2", rows=3)
    counts = kernel.counts
    assert counts.weight_bytes == kernel.constants["weight"].nbytes
    assert counts.input_loads == 36 * 3 * 3 * kernel.vectors
    assert counts.products == 3 * counts.input_loads
