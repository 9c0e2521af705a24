import numpy as np
import pytest
import tvm

from te_schedules.cpu.int8.patch_moves import PatchMoves
from te_schedules.cpu.int8.patch_shape import PatchShape
from te_schedules.cpu.vector_code import prim_func
from tests.te_schedules.cpu.int8.test_patch_shape import SHAPES
from tests.te_schedules.cpu.lane_kernels import compiled

ACROSS, PITCH, SIZE = 5, 80, 2000
DATA = np.random.default_rng(0).integers(0, 256, SIZE).astype(np.uint8)


def moved(emit) -> np.ndarray:
    func = prim_func([("data", (SIZE,), "uint8"), ("output", (SIZE,), "uint8")], emit)
    output = tvm.runtime.tensor(np.zeros(SIZE, np.uint8))
    compiled(func).jit()["main"](tvm.runtime.tensor(DATA), output)
    return output.numpy()


def moves(shape: PatchShape) -> PatchMoves:
    return PatchMoves(shape=shape, across=ACROSS, pitch=PITCH)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_patches_hold_the_inputs_of_their_outputs(shape):
    found = moved(lambda data, output: moves(shape).fill((output, 0), (data, 3)))
    for patch, row, column in np.ndindex(ACROSS, shape.in_rows, shape.in_columns):
        at = patch * shape.size + row * shape.in_columns + column
        place = 3 + row * PITCH + patch * shape.columns * shape.stride + column
        assert found[at] == DATA[place]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_outputs_go_to_their_rows_and_come_from_there(shape):
    taken = moved(lambda data, output: moves(shape).take((output, 0), (data, 3)))
    given = moved(lambda data, output: moves(shape).give((output, 3), (data, 0)))
    for patch, row, column in np.ndindex(ACROSS, shape.rows, shape.columns):
        of_patch = 3 + patch * shape.outs + shape.lane(row, column)
        of_row = row * PITCH + patch * shape.columns + column
        assert taken[of_row] == DATA[of_patch]
        assert given[of_patch] == DATA[of_row]


@pytest.mark.parametrize("across", [8, 11])
def test_of_many_small_patches_nothing_but_the_outputs_is_written(across):
    shape = PatchShape(size=16, rows=2, columns=2)
    pitch = across * 2
    made = PatchMoves(shape=shape, across=across, pitch=pitch)
    assert made.takes_exactly
    assert not PatchMoves(shape=shape, across=7, pitch=pitch).takes_exactly
    taken = moved(lambda data, output: made.take((output, 0), (data, 0)))
    outputs = DATA[: across * 4].reshape(across, 4)
    lanes = [[shape.lane(row, column) for column in (0, 1)] for row in (0, 1)]
    expected = outputs[:, lanes].transpose(1, 0, 2).reshape(-1)
    assert np.array_equal(taken[: 2 * pitch], expected)
    assert not taken[2 * pitch :].any()
