import numpy as np
import pytest

from te_schedules.cpu.int8.winograd_outputs import TileOutputs
from tests.te_schedules.cpu.int8.instruction_samples import RESIDUAL, pruned_weight, usable
from tests.te_schedules.cpu.int8.int8_reference import (
    int8_layer,
    random_bytes,
    requantized,
    to_stored,
    to_tensor,
)
from tests.te_schedules.cpu.int8.tile_samples import run_part, tile_conv2d


@pytest.mark.parametrize("name", ["plain", "avx2"])
@pytest.mark.parametrize(
    ("height", "width", "residual"),
    [(4, 4, None), (4, 4, RESIDUAL), (2, 4, RESIDUAL), (4, 2, None), (2, 2, RESIDUAL)],
)
def test_sums_become_the_bytes_of_a_plane(name, height, width, residual):
    if name not in usable():
        pytest.skip(f"this CPU has no {name}")
    weight = pruned_weight(2, 3, 3, 3)
    layer = int8_layer(weight, (1, 3, 9, 22), padding=(1, 1, 1, 1), residual=residual)
    kernel = tile_conv2d(layer, name, height=height, width=width, rows=-(-9 // height), group=2)
    tiles, shape = kernel.schedule.rows * kernel.across, (2, 9, 22)
    made, results = _sums(kernel, tiles)
    sums = np.zeros((kernel.places, kernel.place_sums), np.int32)
    sums[:, kernel.vectors * kernel.words.lanes :][:, :tiles] = made
    other = random_bytes(1, *shape, seed=1)
    arrays = [sums, kernel.constants["bias"], kernel.constants["scale"], to_stored(other)]

    def body(sums, bias, scale, other, output) -> None:
        given = other if residual else None
        staged = TileOutputs.stage(kernel)
        TileOutputs(kernel, staged, bias, scale, given, output).emit(sums, 1, 1, 0, 0)

    found = to_tensor(
        run_part(body, arrays, to_stored(np.zeros((1, *shape), np.uint8))), (1, *shape)
    )
    plane = results.reshape(kernel.schedule.rows, -1, height, width).swapaxes(1, 2)
    plane = plane.reshape(-1, kernel.across * width)[:9, :22]
    expected = requantized(layer.store, (plane + layer.own_bias.reshape(-1, 1, 1))[None], other)
    np.testing.assert_array_equal(found[0, 1], expected[0, 1])
    assert (found[0, 0] == 0).all()
    assert np.unique(expected).size > 50


def _sums(kernel, tiles: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns sums (places, tiles) int32 of one channel's products, and the results of them."""
    rng, (y, x) = np.random.default_rng(0), (kernel.y, kernel.x)
    taps = rng.integers(-128, 128, (3, 3))
    inputs = rng.integers(-255, 256, (tiles, y.products, x.products))
    weights = y.of_taps @ taps @ x.of_taps.T
    products = weights * (y.of_inputs @ inputs @ x.of_inputs.T)
    windows = np.lib.stride_tricks.sliding_window_view(inputs, (3, 3), axis=(1, 2))
    wrapped = products.reshape(tiles, -1).T.astype(np.uint64).astype(np.uint32)
    return wrapped.view(np.int32), (windows * taps).sum((3, 4))
