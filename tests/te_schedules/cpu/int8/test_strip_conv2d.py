import numpy as np
import pytest

from te_schedules.cpu.int8.choose_strips import products_of
from te_schedules.cpu.int8.instructions import Instructions
from te_schedules.cpu.int8.layer import Int8Layer
from te_schedules.cpu.int8.patch_products import PatchProducts
from te_schedules.cpu.int8.strip_conv2d import strip_conv2d
from te_schedules.cpu.int8.strip_kernel import Products, StripConv2d
from tests.te_schedules.cpu.int8.instruction_samples import (
    LAYERS,
    LONG_REACH,
    RESIDUAL,
    RUN_HERE,
    pruned_weight,
    sample_layer,
)
from tests.te_schedules.cpu.int8.int8_reference import (
    exact_layer,
    int8_layer,
    random_bytes,
    run_bytes,
    to_stored,
)

SCHEDULES = ((1, 2, 2, 1), (3, 4, 1, 2))  # filters of a group, rows, tile, chunks


def assert_exact(kernel: StripConv2d) -> None:
    layer = kernel.layer
    data, other = random_bytes(*layer.in_shape), random_bytes(*layer.out_shape, seed=1)
    args = [to_stored(data), *kernel.constants.values()]
    args += [to_stored(other)] if layer.store.residual else []
    found = run_bytes(strip_conv2d(kernel), *args, shape=layer.out_shape)
    np.testing.assert_array_equal(found, exact_layer(layer, data, other))


def ways(layer: Int8Layer, instructions: Instructions, group: int) -> list[Products]:
    """How to multiply; with the long reach, those that use it."""
    found = [*products_of(layer, instructions, group)]
    if instructions is LONG_REACH:
        return [each for each in found if isinstance(each, PatchProducts)]
    return found


@pytest.mark.parametrize("instructions", RUN_HERE)
@pytest.mark.parametrize("name", LAYERS)
def test_every_way_to_multiply_is_exact(name, instructions):
    layer = sample_layer(name)
    group, rows, tile, chunks = SCHEDULES[layer.groups == 1 and [*LAYERS].index(name) % 2]
    for products in ways(layer, instructions, group):
        scheduled = products.with_rows(min(rows, layer.out_shape[2]))
        assert_exact(StripConv2d(products=scheduled, tile=tile, chunks=chunks))


@pytest.mark.parametrize("instructions", RUN_HERE[:-1])
@pytest.mark.parametrize("rows", [36, 64])
@pytest.mark.parametrize("name", ["1x1", "1x1, rounded residual"])
def test_outputs_of_1x1_layers_go_to_their_planes_at_once(name, rows, instructions):
    for products in ways(sample_layer(name), instructions, 2):
        kernel = StripConv2d(products=products.with_rows(rows), tile=1, chunks=2)
        assert kernel.stages == (kernel.tile_pixels > rows)
        assert_exact(kernel)  # the last tile of a strip, and the last strip, overlap others


@pytest.mark.parametrize("instructions", RUN_HERE[:-1])
@pytest.mark.parametrize("keep", [0.0, 0.03, 1.0])
def test_filters_without_weights_and_with_all(keep, instructions):
    layer = sample_layer("3x3", keep=keep, batch=1)
    for products in ways(layer, instructions, 2):
        assert_exact(StripConv2d(products=products, tile=1))


@pytest.mark.parametrize("instructions", RUN_HERE[3:4])
@pytest.mark.parametrize("group", [1, 2])
def test_coupled_entries_are_exact(group, instructions):
    weight = (pruned_weight(6, 8, 3, 3, keep=1.0) // 3).astype(np.int8)
    weight[0] = 127  # these stay alone
    layer = int8_layer(weight, (1, 8, 9, 11), padding=(1, 1, 1, 1))
    for products in products_of(layer, instructions, group):
        assert_exact(StripConv2d(products=products.with_rows(4), tile=2, chunks=2))


@pytest.mark.parametrize("instructions", RUN_HERE[:-1])
@pytest.mark.parametrize("shape", [(8, 8, 3, 3), (8, 24, 1, 1)])
def test_filters_of_a_group_may_be_any(shape, instructions):
    blocks = np.repeat(pruned_weight(*shape) != 0, 2, axis=0)[:8]
    weight = (pruned_weight(*shape, keep=1.0) * blocks)[[0, 4, 3, 7, 5, 6, 1, 2]]
    options = {"padding": (1, 1, 1, 1)} if shape[2] == 3 else {}
    layer = int8_layer(weight.astype(np.int8), (1, shape[1], 7, 9), residual=RESIDUAL, **options)
    for products in ways(layer, instructions, 2):
        assert products.quads.filters is not None
        assert_exact(StripConv2d(products=products.with_rows(4), tile=1, chunks=2))
