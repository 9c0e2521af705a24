import numpy as np
import pytest
import tvm

from te_schedules.cpu.int8.flat_strip import CELL, FlatStrip
from te_schedules.cpu.int8.instruction_sets import INSTRUCTION_SETS
from te_schedules.cpu.int8.layer_frame import flat
from te_schedules.cpu.int8.planes import stored_shape
from te_schedules.cpu.vector_code import prim_func
from tests.te_schedules.cpu.int8.instruction_samples import LAYERS, sample_layer
from tests.te_schedules.cpu.int8.int8_reference import random_bytes, to_stored
from tests.te_schedules.cpu.lane_kernels import compiled

ROWS, FIRST, IMAGE = 2, 1, 1
NAMES = [name for name in LAYERS if "row" not in name and "residual" not in name]


def copied(strip: FlatStrip, data: np.ndarray) -> np.ndarray:
    """The strip from row ``FIRST`` of outputs on: (channels or cells, bytes)."""
    size = strip.planes * strip.channel_bytes

    def body(data, scratch, output) -> None:
        strip.copy_in(output, scratch, flat(data), IMAGE, FIRST)

    params = [("data", stored_shape(data.shape), "uint8"), ("scratch", (strip.scratch,), "uint8")]
    func = prim_func([*params, ("output", (size,), "uint8")], body)
    output = tvm.runtime.tensor(np.zeros(size, np.uint8))
    scratch = tvm.runtime.tensor(np.zeros(strip.scratch, np.uint8))
    compiled(func).jit()["main"](tvm.runtime.tensor(to_stored(data)), scratch, output)
    return output.numpy().reshape(strip.planes, -1)


@pytest.mark.parametrize("cells", [False, True])
@pytest.mark.parametrize("flip", ["avx2", "dotprod"])
@pytest.mark.parametrize("name", NAMES)
def test_the_input_of_a_tap_is_a_step_from_that_of_the_next_output(name, flip, cells):
    layer, instructions = sample_layer(name), INSTRUCTION_SETS[flip]
    strip = FlatStrip(layer=layer, instructions=instructions, rows=ROWS, cells=cells)
    data = random_bytes(*layer.in_shape)
    found = copied(strip, data) ^ instructions.flip
    window, unit = layer.window, CELL if cells else 1
    for (y, x), row, column, c in places(layer):
        at = [
            (first + out) * step + tap * gap - before
            for first, out, step, tap, gap, before in zip(
                (FIRST, 0), (row, column), window.stride, (y, x), window.dilation, window.padding
            )
        ]
        inside = all(0 <= place < extent for place, extent in zip(at, layer.in_shape[2:]))
        expected = data[IMAGE, c, at[0], at[1]] if inside else layer.in_zero
        pixel = strip.tap(y, x) + (row * strip.pitch + column) * unit
        assert found[c // unit, pixel + c % unit] == expected


def places(layer):
    height, width = layer.window.taps
    for y, x in {(0, 0), (height // 2, width - 1), (height - 1, width // 2)}:
        for row in range(ROWS):
            for column in {0, layer.out_shape[3] // 2, layer.out_shape[3] - 1}:
                for c in range(layer.in_shape[1]):
                    yield (y, x), row, column, c


def test_outputs_come_to_their_rows_and_back():
    layer = sample_layer("3x3, large")
    strip = FlatStrip(layer=layer, instructions=INSTRUCTION_SETS["avx2"], rows=ROWS)
    assert strip.outputs == 39 + 37
    given = random_bytes(*layer.out_shape)

    def body(data, scratch, staged, output) -> None:
        strip.copy_residual((staged, 3), scratch, flat(data), 4, FIRST)
        strip.copy_out((staged, 3), scratch, flat(output), 7, FIRST)

    stored = stored_shape(layer.out_shape)
    params = [("data", stored, "uint8"), ("scratch", (64,), "uint8"), ("staged", (200,), "uint8")]
    func = prim_func([*params, ("output", stored, "uint8")], body)
    arrays = [to_stored(given), np.zeros(64, "u1"), np.zeros(200, "u1"), np.zeros(stored, "u1")]
    tensors = [tvm.runtime.tensor(each) for each in arrays]
    compiled(func).jit()["main"](*tensors)
    expected = np.zeros(stored, np.uint8)
    rows = slice(FIRST * 37, (FIRST + ROWS) * 37)
    expected[1, 2, rows] = given[0, 4, FIRST : FIRST + ROWS].reshape(-1)  # plane 7 of 2 x 5
    assert np.array_equal(tensors[-1].numpy(), expected)
