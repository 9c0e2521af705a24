from dataclasses import replace

import numpy as np
import pytest

from te_schedules.cpu.int8.cell_products import CellProducts
from te_schedules.cpu.int8.choose_strips import choose_strips, products_of
from te_schedules.cpu.int8.instruction_sets import INSTRUCTION_SETS
from te_schedules.cpu.int8.patch_products import PatchProducts
from te_schedules.cpu.int8.tap_products import TapProducts
from tests.relay_passes.relax_modules import CPU
from tests.te_schedules.cpu.int8.instruction_samples import sample_layer
from tests.te_schedules.cpu.int8.int8_reference import int8_layer

WITH = {name: replace(CPU, dots=name, registers=32) for name in INSTRUCTION_SETS}
PATTERN = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 1]])


def pruned(block: int = 1, filters: int = 64, channels: int = 64) -> np.ndarray:
    """Kernels of one pattern, of which a fourth is left, in blocks of so many filters."""
    rng = np.random.default_rng(0)
    kept = np.repeat(rng.random((filters // block, channels)) < 0.25, block, axis=0)
    weight = rng.integers(1, 60, (filters, channels, 3, 3)) * PATTERN * kept[:, :, None, None]
    return weight.astype(np.int8)


def chosen(weight: np.ndarray, dots: str = "avx512-vbmi", size: int = 28, **options: object):
    layer = int8_layer(
        weight, (1, weight.shape[1], size, size), padding=4 * (weight.shape[2] // 2,)
    )
    return choose_strips(layer, WITH[dots], **options)


@pytest.mark.parametrize("dots", INSTRUCTION_SETS)
def test_patterns_are_multiplied_by_their_taps(dots):
    assert isinstance(chosen(pruned(), dots).products, PatchProducts)


def test_dense_layers_are_multiplied_by_cells_and_shared_by_filters():
    weight = np.random.default_rng(0).integers(-60, 60, (32, 32, 3, 3)).astype(np.int8)
    kernel = chosen(weight)
    assert isinstance(kernel.products, CellProducts)
    assert kernel.group >= 2


def test_single_channels_are_multiplied_by_any_four():
    weight = pruned(block=4)[:, :, :1, :1]
    assert isinstance(chosen(weight).products, TapProducts)


def test_blocks_of_filters_share_what_they_load():
    assert chosen(pruned(block=4)).group == 4
    assert chosen(pruned(block=1)).group == 1


def test_a_pruned_layer_can_be_computed_as_if_it_were_dense():
    entries = chosen(pruned(), sparse=False).products.quads.entries
    assert entries > 2 * chosen(pruned()).products.quads.entries


def test_small_planes_are_shared_out_by_filters():
    kernel = chosen(pruned(), size=4)
    assert kernel.strips * kernel.chunks >= CPU.num_cores


def test_registers_hold_what_is_chosen():
    for name in ("3x3", "1x1", "depthwise", "7x7, stride 2"):
        for cpu in WITH.values():
            assert choose_strips(sample_layer(name), cpu).fits


def test_where_cells_are_full_nothing_else_is_tried():
    weight = np.full((8, 8, 3, 3), 7, np.int8)
    avx_vnni = INSTRUCTION_SETS["avx-vnni"]
    full, pruned_too = (int8_layer(w, (1, 8, 9, 9)) for w in (weight, weight * PATTERN))
    for layer, sparse, count in ((full, True, 1), (pruned_too, False, 1), (pruned_too, True, 3)):
        assert len([*products_of(layer, avx_vnni, 2, sparse=sparse)]) == count


def test_entries_are_coupled_where_a_weight_is_for_many_outputs():
    weight = np.random.default_rng(0).integers(-60, 60, (32, 32, 3, 3)).astype(np.int8)
    assert chosen(weight, "avx2").products.quads.coupled is not None
    assert chosen(weight, "avx2", size=4).products.quads.coupled is None
    assert chosen(weight, "avx-vnni").products.quads.coupled is None


def test_depthwise_layers_with_cells_are_multiplied_by_columns():
    weight = np.random.default_rng(0).integers(-60, 60, (32, 1, 3, 3)).astype(np.int8)
    layer = int8_layer(weight, (1, 32, 28, 28), padding=(1, 1, 1, 1), groups=32)
    for dots, kind in (("avx2", CellProducts), ("dotprod", CellProducts), ("neon", TapProducts)):
        assert isinstance(choose_strips(layer, WITH[dots]).products, kind)


def test_blocks_of_filters_share_what_they_load_wherever_they_are():
    shuffled = np.random.default_rng(0).permutation(64)
    found, neighbours = chosen(pruned(block=4)[shuffled]), chosen(pruned(block=4))
    assert found.group == 4
    assert found.products.quads.entries == neighbours.products.quads.entries
