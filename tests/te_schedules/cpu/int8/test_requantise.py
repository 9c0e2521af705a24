import numpy as np
import pytest
import tvm
from tvm.tirx import Cast

from te_schedules.cpu.int8.layer import Requantization, Residual
from te_schedules.cpu.int8.requantise import narrowed, requantised
from te_schedules.cpu.vector_code import VectorCode, prim_func
from tests.te_schedules.cpu.int8.int8_reference import requantized
from tests.te_schedules.cpu.lane_kernels import compiled

SUMS = np.array([0, 1, 2, 3, -1, -2, -3, 255, 511, 10**6, -(10**6), 2**31 - 1, -(2**31), 5, 7, 9])
OTHER = np.arange(16).astype(np.uint8) * 17


def stored(store: Requantization, scale: float, order=range(16)) -> np.ndarray:
    code, floats, bytes_ = VectorCode(8, "int32"), VectorCode(8), VectorCode(16, "uint8")

    def body(sums, other, output) -> None:
        vectors = [code.load(sums, 0), code.load(sums, 8)]
        others = None
        if store.residual:
            others = [Cast("int32x8", VectorCode(8, "uint8").load(other, at)) for at in (0, 8)]
        values = requantised(store, vectors, floats.broadcast(scale), 8, others)
        bytes_.store(output, narrowed(values, [*order]), 0)

    params = [("sums", (16,), "int32"), ("other", (16,), "uint8"), ("output", (16,), "uint8")]
    output = tvm.runtime.tensor(np.zeros(16, np.uint8))
    args = [tvm.runtime.tensor(SUMS.astype(np.int32)), tvm.runtime.tensor(OTHER)]
    compiled(prim_func(params, body)).jit()["main"](*args, output)
    return output.numpy()


def store(scale: float, **options: object) -> Requantization:
    return Requantization(scale=np.full(1, scale, np.float32), **{"zero": 3, **options})


@pytest.mark.parametrize("scale", [0.5, 0.3, 1e-4, 200.0])
@pytest.mark.parametrize("options", [{}, {"low": 3}, {"low": 100, "high": 120, "zero": 110}])
def test_halves_become_even_and_large_numbers_are_clipped(scale, options):
    made = store(scale, **options)
    expected = requantized(made, SUMS.reshape(1, 1, -1))[0, 0]
    assert np.array_equal(stored(made, scale), expected)


def test_a_residual_is_added_between_two_clips():
    made = store(0.3, residual=Residual(scale=0.7313, zero=9, low=-20.4, high=90.3))
    expected = requantized(made, SUMS.reshape(1, 1, -1), OTHER.reshape(1, 1, -1))[0, 0]
    assert np.array_equal(stored(made, 0.3), expected)


def test_bytes_come_in_the_order_that_is_asked_for():
    made = store(0.3)
    order = [*range(15, -1, -1)]
    assert np.array_equal(stored(made, 0.3, order), stored(made, 0.3)[order])
