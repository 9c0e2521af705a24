import numpy as np
import pytest
import tvm

from te_schedules.cpu.int8.window_moves import WindowMoves
from te_schedules.cpu.int8.window_shape import WindowShape
from te_schedules.cpu.vector_code import prim_func
from tests.te_schedules.cpu.int8.test_window_shape import SHAPES
from tests.te_schedules.cpu.lane_kernels import compiled

ACROSS, PITCH, SIZE = 5, 80, 2000
DATA = np.random.default_rng(0).integers(0, 256, SIZE).astype(np.uint8)


def moved(emit) -> np.ndarray:
    func = prim_func([("data", (SIZE,), "uint8"), ("output", (SIZE,), "uint8")], emit)
    output = tvm.runtime.tensor(np.zeros(SIZE, np.uint8))
    compiled(func).jit()["main"](tvm.runtime.tensor(DATA), output)
    return output.numpy()


def moves(shape: WindowShape) -> WindowMoves:
    return WindowMoves(shape=shape, across=ACROSS, pitch=PITCH)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_windows_hold_the_inputs_of_their_outputs(shape):
    found = moved(lambda data, output: moves(shape).fill((output, 0), (data, 3)))
    for window, row, column in np.ndindex(ACROSS, shape.in_rows, shape.in_columns):
        at = window * shape.size + row * shape.in_columns + column
        place = 3 + row * PITCH + window * shape.columns * shape.stride + column
        assert found[at] == DATA[place]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_outputs_go_to_their_rows_and_come_from_there(shape):
    taken = moved(lambda data, output: moves(shape).take((output, 0), (data, 3)))
    given = moved(lambda data, output: moves(shape).give((output, 3), (data, 0)))
    for window, row, column in np.ndindex(ACROSS, shape.rows, shape.columns):
        of_window = 3 + window * shape.outs + shape.lane(row, column)
        of_row = row * PITCH + window * shape.columns + column
        assert taken[of_row] == DATA[of_window]
        assert given[of_window] == DATA[of_row]
