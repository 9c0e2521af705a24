import numpy as np

from te_schedules.cpu.int8.instruction_sets import INSTRUCTION_SETS
from te_schedules.cpu.int8.plain_instructions import plain
from tests.te_schedules.cpu.int8.instruction_samples import sample_layer

AVX2, DOTPROD, NEON = (INSTRUCTION_SETS[name] for name in ("avx2", "dotprod", "neon"))


def test_a_vector_has_four_bytes_for_each_sum():
    assert (AVX2.lanes, AVX2.bytes) == (8, 32)


def test_signed_bytes_are_128_less_which_the_bias_makes_up_for():
    layer = sample_layer("1x1")
    data = np.arange(6) * 40
    weight = layer.weight[:, :, 0, 0].astype(int)
    assert np.array_equal(AVX2.bias(layer), layer.bias)
    flipped = (data.astype(np.uint8) ^ DOTPROD.flip).astype(np.uint8).view(np.int8).astype(int)
    assert np.array_equal(flipped, data - 128)
    assert np.array_equal(weight @ data + layer.bias, weight @ flipped + DOTPROD.bias(layer))


def test_cells_need_the_bytes_of_a_pixel_beside_each_other():
    assert AVX2.has_cells
    assert DOTPROD.has_cells
    assert not NEON.has_cells
    assert not plain(8, 16).has_cells
