import numpy as np
import pytest
import tvm

from te_schedules.cpu.int8.byte_runs import copy_run, fill_run, interleave_run
from te_schedules.cpu.vector_code import prim_func
from tests.te_schedules.cpu.lane_kernels import compiled

DATA = np.random.default_rng(0).integers(0, 256, 300).astype(np.uint8)
LENGTHS = [1, 2, 3, 7, 16, 17, 31, 32, 33, 70]
AT = 5


def run(emit) -> np.ndarray:
    """All 9, after ``emit`` has written to it."""
    func = prim_func([("data", (300,), "uint8"), ("output", (300,), "uint8")], emit)
    output = tvm.runtime.tensor(np.full(300, 9, np.uint8))
    compiled(func).jit()["main"](tvm.runtime.tensor(DATA), output)
    return output.numpy()


def written(length: int, values: np.ndarray | int) -> np.ndarray:
    expected = np.full(300, 9, np.uint8)
    expected[AT : AT + length] = values
    return expected


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("length", LENGTHS)
def test_a_run_is_copied_and_nothing_else(length, stride):
    found = run(lambda data, output: copy_run((output, AT), (data, 3), length, 16, stride, 128))
    taken = DATA[3 : 3 + length * stride : stride] ^ 128
    assert np.array_equal(found, written(length, taken))


@pytest.mark.parametrize("length", LENGTHS)
def test_a_run_is_filled(length):
    found = run(lambda data, output: fill_run((output, AT), length, 16, 77))
    assert np.array_equal(found, written(length, 77))


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("length", [1, 7, 16, 21])
def test_runs_are_interleaved(length, stride):
    starts = (0, 61, 120, 200)
    found = run(
        lambda data, output: interleave_run(
            (output, AT), [(data, start) for start in starts], length, stride
        )
    )
    rows = [DATA[start : start + length * stride : stride] for start in starts]
    assert np.array_equal(found, written(4 * length, np.stack(rows, axis=1).reshape(-1)))
