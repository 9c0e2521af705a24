from itertools import product

import numpy as np
import pytest

from tests.te_schedules.cpu.int8.instruction_samples import (
    RESIDUAL,
    ROUNDED,
    pruned_weight,
    usable,
)
from tests.te_schedules.cpu.int8.int8_reference import int8_layer, random_bytes
from tests.te_schedules.cpu.int8.tile_samples import assert_tiles_exact, tile_conv2d

PADDED = {"padding": (1, 1, 1, 1)}
LAYERS = {  # weight, plane, batch, options
    "odd": ((8, 6, 3, 3), (9, 11), 2, PADDED),
    "channels and filters that nothing divides": ((5, 9, 3, 3), (13, 37), 1, PADDED),
    "padded unevenly": ((6, 7, 3, 3), (7, 10), 2, {"padding": (0, 2, 3, 1)}),
    "not padded": ((6, 3, 3, 3), (6, 35), 1, {"in_zero": 0}),
    "on few pixels": ((4, 4, 3, 3), (1, 3), 1, {**PADDED, "in_zero": 255}),
    "residual": ((6, 5, 3, 3), (14, 14), 1, {**PADDED, "residual": RESIDUAL, "low": 90}),
    "rounded residual": ((3, 2, 3, 3), (5, 18), 2, {**PADDED, "residual": ROUNDED, "in_zero": 128}),
}  # fmt: skip
SCHEDULES = (
    {},
    {"height": 2, "rows": 3, "group": 2, "chunks": 2},
    {"height": 2, "width": 2, "rows": 1, "together": 3, "chunks": 2},
    {"width": 2, "rows": 1, "group": 1, "together": 1},
)


def sample(name: str, **options: object):
    shape, size, batch, own = LAYERS[name]
    weight = pruned_weight(*shape, keep=0.9)
    return int8_layer(weight, (batch, shape[1], *size), **{**own, **options})


@pytest.mark.parametrize("name", ["plain", "avx2", "avx-vnni", "avx512-vnni", "avx512-vbmi"])
@pytest.mark.parametrize("layer", LAYERS)
def test_layers_are_exact(layer, name):
    if name not in usable():
        pytest.skip(f"this CPU has no {name}")
    schedule = SCHEDULES[[*LAYERS].index(layer) % len(SCHEDULES)]
    assert_tiles_exact(tile_conv2d(sample(layer), name, **schedule))


@pytest.mark.parametrize("schedule", SCHEDULES[2:])
def test_every_tile_is_exact(schedule):
    assert_tiles_exact(tile_conv2d(sample("odd"), **schedule))


@pytest.mark.parametrize("in_zero", [0, 128, 255])
def test_the_largest_weights_and_inputs_are_exact(in_zero):
    """Sums of products pass 32 bits, and results do not."""
    weight = np.full((4, 32, 3, 3), 127, np.int8)
    weight[1], weight[2, :, 1] = -128, -128
    layer = int8_layer(weight, (1, 32, 8, 12), in_zero=in_zero, **PADDED)
    rows, columns = np.indices(layer.in_shape[2:]) % 4 // 2
    data = np.broadcast_to(255 * (rows ^ columns), layer.in_shape).astype(np.uint8)
    assert_tiles_exact(tile_conv2d(layer, "avx2" if "avx2" in usable() else "plain"), data)


@pytest.mark.long
def test_random_layers_are_exact():
    rng = np.random.default_rng(3)
    for height, width in product((2, 4), (2, 4)):
        channels, filters = (int(each) for each in rng.integers(1, 12, 2))
        size = tuple(int(each) for each in rng.integers(3, 24, 2))
        layer = int8_layer(pruned_weight(filters, channels, 3, 3), (1, channels, *size), **PADDED)
        group = min(filters, 4)
        kernel = tile_conv2d(layer, height=height, width=width, rows=1, group=group, together=1)
        assert_tiles_exact(kernel, random_bytes(*layer.in_shape, seed=height))
