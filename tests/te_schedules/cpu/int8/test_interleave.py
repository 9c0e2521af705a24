import numpy as np
import pytest
import tvm

from te_schedules.cpu.int8.interleave import (
    interleave_halves,
    interleave_taps,
    pixel_of_lane,
)
from te_schedules.cpu.vector_code import VectorCode, prim_func
from tests.te_schedules.cpu.lane_kernels import compiled


def interleaved(function, size: int) -> np.ndarray:
    """What becomes of bytes ``16 * tap + pixel``, of 16 pixels, or of the first of more."""
    code = VectorCode(size, "uint8")

    def body(data, output) -> None:
        for i, value in enumerate(
            function([code.load(data, tap * size) for tap in range(4)], size)
        ):
            code.store(output, value, i * size)

    func = prim_func([("data", (4 * size,), "uint8"), ("output", (4 * size,), "uint8")], body)
    data = np.array([size * tap + pixel for tap in range(4) for pixel in range(size)], np.uint8)
    output = tvm.runtime.tensor(np.zeros(4 * size, np.uint8))
    compiled(func).jit()["main"](tvm.runtime.tensor(data), output)
    return output.numpy().reshape(4, size)


@pytest.mark.parametrize("size", [16, 32, 64])
def test_four_taps_of_a_pixel_come_to_lie_beside_each_other(size):
    found = interleaved(interleave_taps, size)
    for vector in range(4):
        for lane in range(size // 4):
            pixel = pixel_of_lane(vector, lane)
            taps = [size * tap + pixel for tap in range(4)]
            assert found[vector, 4 * lane : 4 * lane + 4].tolist() == taps


def test_every_pixel_has_its_lane():
    assert sorted(pixel_of_lane(v, lane) for v in range(4) for lane in range(16)) == [*range(64)]


def test_halves_have_taps_0_and_2_then_1_and_3():
    found = interleaved(interleave_halves, 16)
    for vector in range(4):
        pixels = [pixel_of_lane(vector, lane) for lane in range(4)]
        first = [16 * tap + pixel for pixel in pixels for tap in (0, 2)]
        second = [16 * tap + pixel for pixel in pixels for tap in (1, 3)]
        assert found[vector].tolist() == first + second
