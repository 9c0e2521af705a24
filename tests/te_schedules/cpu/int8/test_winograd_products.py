import numpy as np
import pytest

from te_schedules.cpu.int8.winograd_products import multiply
from tests.te_schedules.cpu.int8.instruction_samples import pruned_weight, usable
from tests.te_schedules.cpu.int8.int8_reference import int8_layer
from tests.te_schedules.cpu.int8.tile_samples import run_part, tile_conv2d


@pytest.mark.parametrize("name", ["plain", "avx2"])
@pytest.mark.parametrize("together", [1, 2, 3])
def test_sums_of_products_are_exact_modulo_2_to_the_32(name, together):
    if name not in usable():
        pytest.skip(f"this CPU has no {name}")
    weight = pruned_weight(6, 41, 3, 3, keep=1.0)
    weight[4] = 127
    layer = int8_layer(weight, (1, 41, 9, 22), padding=(1, 1, 1, 1))
    kernel = tile_conv2d(layer, name, together=together, rows=1 if name == "plain" else 3)
    words, depth = kernel.words, kernel.words.depth
    tiles = kernel.vectors * words.lanes
    rng = np.random.default_rng(0)
    values = rng.integers(-25500, 25501, (kernel.places, kernel.pairs, tiles, depth))
    values[:, :, 0] = 25500
    stored = np.zeros((kernel.places, kernel.place_words), np.int16)
    stored[:, : kernel.pairs * tiles * depth] = values.reshape(kernel.places, -1)
    packed = kernel.constants["weight"]

    def body(inputs, weight, sums) -> None:
        multiply(kernel, inputs, weight, sums, 1, 1)  # the second of two groups

    made = np.zeros((kernel.places, kernel.place_sums), np.int32)
    found = run_part(body, [stored, packed], made)[:, : 3 * tiles].reshape(-1, 3, tiles)
    of_group = np.ascontiguousarray(packed[:, 1]).view(np.int16).reshape(-1, kernel.pairs, 3, depth)
    exact = np.einsum("pctd,pcfd->pft", values, of_group.astype(int))
    assert np.abs(exact).max() > 2**32
    np.testing.assert_array_equal(found, exact.astype(np.uint64).astype(np.uint32).view(np.int32))
