import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from te_schedules.cpu.fully_connected import (
    fully_connected,
    kept_share,
    pack_matrix,
    pack_sparse_matrix,
    pad_outputs,
    sparse_fully_connected,
)
from te_schedules.cpu.tile_store import OperandSpec
from te_schedules.epilogue import Step
from tests.te_schedules.cpu.lane_kernels import assert_close, random_array, run_kernel


@pytest.mark.parametrize("lanes", [4, 8, 16])
@pytest.mark.parametrize(
    ("rows", "inputs", "outputs"), [(1, 7, 1), (1, 5, 16), (2, 33, 37), (3, 1, 64)]
)
def test_products(rows, inputs, outputs, lanes):
    data, matrix = random_array(rows, inputs), random_array(inputs, outputs, seed=1)
    func = fully_connected(rows, inputs, outputs, lanes)
    got = run_kernel(func, [data, pack_matrix(matrix, lanes)], (rows, outputs))
    assert_close(got, data @ matrix)


def test_an_epilogue_of_all_kinds_of_steps():
    data, matrix = random_array(2, 9), random_array(9, 21, seed=1)
    bias, factor = random_array(21, seed=2), random_array(21, seed=3)
    steps = [
        Step("add", OperandSpec()),
        Step("relu"),
        Step("multiply", OperandSpec()),
        Step("add_number", numbers=(0.25,)),
    ]
    func = fully_connected(2, 9, 21, 8, steps)
    arguments = [data, pack_matrix(matrix, 8), pad_outputs(bias, 8), pad_outputs(factor, 8)]
    got = run_kernel(func, arguments, (2, 21))
    assert_close(got, np.maximum(data @ matrix + bias, 0) * factor + 0.25)


def test_the_output_ends_where_it_should():
    """A masked store must not reach into the next row."""
    data, matrix = np.ones((3, 1), np.float32), np.arange(1, 6, dtype=np.float32).reshape(1, 5)
    got = run_kernel(fully_connected(3, 1, 5, 4), [data, pack_matrix(matrix, 4)], (3, 5))
    assert got.tolist() == [[1, 2, 3, 4, 5]] * 3


@given(st.integers(1, 9), st.integers(1, 70), st.sampled_from([4, 8, 16]))
def test_the_matrix_is_packed_block_by_block(inputs, outputs, lanes):
    matrix = np.arange(1, inputs * outputs + 1, dtype=np.float32).reshape(inputs, outputs)
    packed = pack_matrix(matrix, lanes)
    assert packed.flags.c_contiguous
    assert packed.dtype == np.float32
    assert packed.shape[1:] == (inputs, 4 * lanes)
    joined = packed.transpose(1, 0, 2).reshape(inputs, -1)
    assert np.array_equal(joined[:, :outputs], matrix)
    assert not joined[:, outputs:].any()


def test_operands_are_padded_to_whole_blocks():
    assert pad_outputs(np.ones(17, np.float64), 4).tolist() == [1.0] * 17 + [0.0] * 15
    assert pad_outputs(np.ones(16), 4).dtype == np.float32


@given(st.integers(1, 9), st.integers(1, 70), st.sampled_from([4, 8, 16]), st.integers(0, 99))
def test_a_sparse_matrix_keeps_the_vectors_that_are_not_zero(inputs, outputs, lanes, seed):
    rng = np.random.default_rng(seed)
    matrix = rng.uniform(0.5, 1, (inputs, outputs)).astype(np.float32)
    matrix *= np.repeat(rng.random((inputs, -(-outputs // lanes))) < 0.4, lanes, 1)[:, :outputs]
    packed = pack_sparse_matrix(matrix, lanes)
    back = np.zeros((inputs, -(-outputs // lanes), lanes), np.float32)
    vector = np.repeat(np.arange(len(packed.offset) - 1), np.diff(packed.offset))
    back[packed.index, vector] = packed.weight
    assert np.array_equal(back.reshape(inputs, -1)[:, :outputs], matrix)
    assert len(packed.index) == round(kept_share(matrix, lanes) * back[:, :, 0].size)
    assert packed.weight.any(axis=1).all()


@pytest.mark.parametrize("lanes", [4, 8, 16])
@pytest.mark.parametrize(("rows", "inputs", "outputs"), [(1, 7, 1), (2, 33, 37), (3, 5, 64)])
def test_sparse_products(rows, inputs, outputs, lanes):
    data, matrix = random_array(rows, inputs), random_array(inputs, outputs, seed=1)
    matrix[:, : outputs // 2 // lanes * lanes] = 0
    matrix[::2] = 0
    packed = pack_sparse_matrix(matrix, lanes)
    func = sparse_fully_connected(rows, inputs, packed, lanes)
    assert_close(run_kernel(func, [data, *packed.constants], (rows, outputs)), data @ matrix)
