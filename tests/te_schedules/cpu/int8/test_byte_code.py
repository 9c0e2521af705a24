import numpy as np
import pytest

from te_schedules.cpu.int8.byte_code import ByteCode, StoredRange, Term
from te_schedules.cpu.vector_code import prim_func
from tests.te_schedules.cpu.lane_kernels import run_kernel


@pytest.mark.parametrize(("lanes", "dtype"), [(1, "uint8"), (7, "uint8x7")])
def test_vectors_have_the_types_of_their_length(lanes, dtype):
    assert ByteCode(lanes).dtype("uint8") == dtype


def test_only_bytes_of_the_same_meaning_are_stored_as_they_are():
    term = Term(scale=1.0, zero=3)
    assert term.is_stored_as(StoredRange(zero=3))
    assert not term.is_stored_as(StoredRange(zero=4))
    assert not term.is_stored_as(StoredRange(zero=3, low=3))
    assert not Term(scale=2.0, zero=3).is_stored_as(StoredRange(zero=3))


@pytest.mark.parametrize("lanes", [1, 5, 16])
def test_numbers_far_beyond_bytes_are_clipped(lanes):
    values = np.array([np.inf, -np.inf, 1e30, 254.5, 0.5, -0.5, 1.5, -300], np.float32)
    data = np.resize(values, 80)

    def body(source, output):
        code = ByteCode(lanes)
        for at in range(0, 80, lanes):
            stored = code.bytes(code.load(source, at), StoredRange(zero=1, low=1, high=250))
            code.store(output, code.numbers(stored, Term(scale=1.0, zero=0)), at)

    func = prim_func([("source", (80,), "float32"), ("output", (80,), "float32")], body)
    expected = np.clip(np.rint(data) + 1, 1, 250)
    np.testing.assert_array_equal(run_kernel(func, [data], (80,)), expected)
