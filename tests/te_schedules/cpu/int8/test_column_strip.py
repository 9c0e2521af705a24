from dataclasses import replace

import numpy as np
import pytest
import tvm

from te_schedules.cpu.int8.cell_products import CellProducts
from te_schedules.cpu.int8.choose_strips import choose_strips, products_of
from te_schedules.cpu.int8.column_strip import ColumnStrip, column_weight, has_columns
from te_schedules.cpu.int8.flat_strip import CELL
from te_schedules.cpu.int8.instruction_sets import INSTRUCTION_SETS
from te_schedules.cpu.int8.layer_frame import flat
from te_schedules.cpu.int8.planes import stored_shape
from te_schedules.cpu.vector_code import prim_func
from tests.relay_passes.relax_modules import CPU
from tests.te_schedules.cpu.int8.instruction_samples import pruned_weight, sample_layer
from tests.te_schedules.cpu.int8.int8_reference import int8_layer, random_bytes, to_stored
from tests.te_schedules.cpu.int8.test_flat_strip import FIRST, IMAGE, ROWS, copied
from tests.te_schedules.cpu.lane_kernels import compiled

NAMES = ("3x3", "3x3, stride 2", "3x3, stride 2, padded behind", "7x7, stride 2")


@pytest.mark.parametrize("flip", ["avx2", "dotprod"])
@pytest.mark.parametrize("name", NAMES)
def test_a_cell_has_the_four_columns_from_its_tap_on(name, flip):
    layer, instructions = sample_layer(name), INSTRUCTION_SETS[flip]
    strip = ColumnStrip(layer=layer, instructions=instructions, rows=ROWS)
    data, window = random_bytes(*layer.in_shape), layer.window
    found = copied(strip, data) ^ instructions.flip
    (height, width), (_, pitch) = window.taps, (0, strip.outputs - layer.out_shape[3])
    cells = -(-width // CELL)
    for y, x, row, column in np.ndindex(height, cells, ROWS, layer.out_shape[3]):
        start = strip.start_of(y * cells + x) + (row * pitch + column) * CELL
        top = (FIRST + row) * window.stride[0] + y - window.padding[0]
        left = column * window.stride[1] + x * CELL - window.padding[1]
        for c, place in np.ndindex(layer.in_shape[1], CELL):
            inside = 0 <= top < layer.in_shape[2] and 0 <= left + place < layer.in_shape[3]
            expected = data[IMAGE, c, top, left + place] if inside else layer.in_zero
            assert found[c, start + place] == expected


def test_columns_become_places_of_cells():
    weight = np.arange(1, 1 + 2 * 3 * 2 * 7).reshape(2, 3, 2, 7).astype(np.int8)
    cells = column_weight(weight)
    assert cells.shape == (2, 12, 2, 2)
    assert cells[1, 4:8, 1, 0].tolist() == weight[1, 1, 1, :4].tolist()
    assert cells[1, 4:8, 1, 1].tolist() == [*weight[1, 1, 1, 4:], 0]


def test_only_a_few_channels_have_cells_of_columns():
    assert has_columns(sample_layer("7x7, stride 2"))
    assert has_columns(sample_layer("depthwise"))
    for name in ("1x1", "5x3, all else", "groups"):
        assert not has_columns(sample_layer(name))
    assert not has_columns(int8_layer(pruned_weight(4, 8, 3, 3), (1, 8, 9, 9)))
    steps = int8_layer(pruned_weight(4, 3, 3, 3), (1, 3, 9, 9), stride=(3, 3))
    assert not has_columns(steps)


def test_rows_may_step_further_than_a_kernel_reaches():
    layer = int8_layer(pruned_weight(4, 3, 1, 3), (1, 3, 9, 9), stride=(2, 1))
    found = [*products_of(layer, INSTRUCTION_SETS["avx2"], 1)]
    strips = [each.strip for each in found if isinstance(each.strip, ColumnStrip)]
    assert [strip.start_of(0) for strip in strips] == [0]


def test_a_first_layer_is_multiplied_by_columns():
    weight = pruned_weight(64, 3, 7, 7, keep=1.0) // 4
    layer = int8_layer(weight, (1, 3, 112, 112), stride=(2, 2), padding=(3, 3, 3, 3))
    kernel = choose_strips(layer, replace(CPU, dots="avx2"))
    assert isinstance(kernel.products, CellProducts)
    assert kernel.reason.startswith("four columns at a time")


@pytest.mark.parametrize("flip", ["avx2", "dotprod"])
@pytest.mark.parametrize("options", [{}, {"stride": (2, 2)}, {"padding": (0, 0, 1, 1)}])
def test_a_depthwise_filter_has_a_strip_of_its_own_channel(flip, options):
    weight = pruned_weight(6, 1, 3, 3)
    layer = int8_layer(weight, (2, 3, 7, 21), groups=3, **{"padding": (1, 1, 1, 1), **options})
    strip = ColumnStrip(layer=layer, instructions=INSTRUCTION_SETS[flip], rows=ROWS)
    assert strip.own
    assert strip.planes == 1
    data = random_bytes(*layer.in_shape)
    whole = replace(layer, groups=1, weight=pruned_weight(6, 3, 3, 3))
    expected = copied(replace(strip, layer=whole), data)
    for filter_, channel in ((0, 0), (3, 1), (5, 2)):
        found = copied_own(strip, data, filter_)
        used = strip.start_of(2) + strip.outputs * CELL
        places = np.arange(used) % CELL < layer.window.taps[1]  # what is behind has weights 0
        assert np.array_equal(found[:used][places], expected[channel][:used][places])


def copied_own(strip: ColumnStrip, data: np.ndarray, filter_: int) -> np.ndarray:
    """What ``copied`` returns of the channel of a filter; another was copied before."""

    def body(data, scratch, output) -> None:
        strip.fill_borders(scratch)
        for each in (1, filter_):
            strip.copy_own(output, scratch, flat(data), IMAGE, FIRST, each)

    size = strip.channel_bytes
    params = [("data", stored_shape(data.shape), "uint8"), ("scratch", (strip.scratch,), "uint8")]
    func = prim_func([*params, ("output", (size,), "uint8")], body)
    output = tvm.runtime.tensor(np.zeros(size, np.uint8))
    scratch = tvm.runtime.tensor(np.full(strip.scratch, 77, np.uint8))
    compiled(func).jit()["main"](tvm.runtime.tensor(to_stored(data)), scratch, output)
    return output.numpy()
