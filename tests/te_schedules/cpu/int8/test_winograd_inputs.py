import numpy as np
import pytest

from te_schedules.cpu.int8.winograd_inputs import TileInputs
from tests.te_schedules.cpu.int8.instruction_samples import pruned_weight, usable
from tests.te_schedules.cpu.int8.int8_reference import int8_layer, random_bytes, to_stored
from tests.te_schedules.cpu.int8.tile_samples import run_part, tile_conv2d

SHAPE = (2, 5, 11, 22)


def transformed(kernel, data: np.ndarray, first: int) -> np.ndarray:
    """Returns (places, channels, tiles) of a block of the second image."""
    made = np.zeros(kernel.places * kernel.place_words, np.int16)

    def body(data, made) -> None:
        TileInputs.allocate(kernel).emit(made, data, 1, first)

    found = run_part(body, [to_stored(data)], made).reshape(kernel.places, -1)
    lanes, depth = kernel.vectors * kernel.words.lanes, kernel.words.depth
    words = found[:, : kernel.pairs * lanes * depth].reshape(kernel.places, -1, lanes, depth)
    channels = words.transpose(0, 1, 3, 2).reshape(kernel.places, -1, lanes)
    return channels[:, : SHAPE[1], : kernel.schedule.rows * kernel.across]


def expected(kernel, data: np.ndarray, first: int) -> np.ndarray:
    layer, (height, width) = kernel.layer, (kernel.schedule.height, kernel.schedule.width)
    above, left = layer.window.padding
    zero = layer.in_zero
    padded = np.pad(data[1].astype(int), ((0, 0), (above, 32), (left, 32)), constant_values=zero)
    windows = np.lib.stride_tricks.sliding_window_view(
        padded - zero, (height + 2, width + 2), axis=(1, 2)
    )
    rows = range(first, first + kernel.block_height, height)
    tiles = windows[:, rows, : kernel.across * width : width]
    y, x = kernel.y.of_inputs, kernel.x.of_inputs
    made = np.einsum("py,cijyx,qx->pqcij", y, tiles, x)
    return made.reshape(kernel.places, SHAPE[1], -1)


@pytest.mark.parametrize("name", ["plain", "avx2"])
@pytest.mark.parametrize(
    ("padding", "height", "width", "zero"),
    [
        ((1, 1, 1, 1), 4, 4, 0),
        ((0, 2, 3, 0), 2, 4, 255),
        ((0, 0, 0, 0), 4, 2, 128),
        ((2, 1, 0, 3), 2, 2, 7),
    ],
)
def test_transforms_are_products_of_matrices(name, padding, height, width, zero):
    if name not in usable():
        pytest.skip(f"this CPU has no {name}")
    layer = int8_layer(pruned_weight(3, 5, 3, 3), SHAPE, padding=padding, in_zero=zero)
    kernel = tile_conv2d(layer, name, height=height, width=width)
    data = random_bytes(*SHAPE)
    for first in (0, kernel.block_height):
        found = transformed(kernel, data, first)
        np.testing.assert_array_equal(found, expected(kernel, data, first))
