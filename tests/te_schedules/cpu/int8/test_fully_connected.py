import numpy as np
import pytest
import tvm

from te_schedules.cpu.int8.fully_connected import Int8Matrix, int8_fully_connected
from te_schedules.cpu.int8.instruction_sets import INSTRUCTION_SETS
from tests.te_schedules.cpu.int8.instruction_samples import RESIDUAL, RUN_HERE, pruned_weight
from tests.te_schedules.cpu.int8.int8_reference import (
    exact_layer,
    int8_layer,
    random_bytes,
    run_bytes,
    to_stored,
)
from tests.te_schedules.cpu.lane_kernels import compiled


@pytest.mark.parametrize("instructions", RUN_HERE)
@pytest.mark.parametrize(
    ("outputs", "inputs", "keep", "options"),
    [
        (40, 9, 1.0, {}),
        (3, 64, 0.5, {"low": 100}),
        (130, 31, 0.02, {}),
        (64, 4, 0.0, {}),
        (17, 30, 0.7, {"residual": RESIDUAL}),
    ],
)
def test_matrices_are_exact(outputs, inputs, keep, options, instructions):
    weight = pruned_weight(outputs, inputs, 1, 1, keep=keep)
    layer = int8_layer(weight, (3, inputs, 1, 1), **options)
    matrix = Int8Matrix(layer=layer, instructions=instructions)
    data, other = random_bytes(*layer.in_shape), random_bytes(*layer.out_shape, seed=1)
    args = [to_stored(data), *matrix.constants.values()]
    args += [to_stored(other)] if layer.store.residual else []
    found = run_bytes(int8_fully_connected(matrix), *args, shape=layer.out_shape)
    np.testing.assert_array_equal(found, exact_layer(layer, data, other))


@pytest.mark.parametrize("instructions", RUN_HERE)
@pytest.mark.parametrize(("outputs", "inputs"), [(10, 30), (130, 31), (64, 4), (1, 9)])
def test_numbers_are_neither_rounded_nor_clipped(outputs, inputs, instructions):
    offset = np.linspace(-1e6, 1e6, outputs, dtype=np.float32)
    weight = pruned_weight(outputs, inputs, 1, 1, keep=0.6)
    layer = int8_layer(weight, (3, inputs, 1, 1), offset=offset)
    matrix = Int8Matrix(layer=layer, instructions=instructions)
    data, guard = random_bytes(*layer.in_shape), np.float32(7)
    found = tvm.runtime.tensor(np.full((3, 1, outputs), guard))
    args = [tvm.runtime.tensor(a) for a in (to_stored(data), *matrix.constants.values())]
    compiled(int8_fully_connected(matrix)).jit()["main"](*args, found)
    sums = data[:, :, 0, 0].astype(np.int64) @ weight[:, :, 0, 0].T.astype(np.int64) + layer.bias
    expected = sums * layer.store.scale.astype(np.float64) + offset
    np.testing.assert_allclose(found.numpy()[:, 0], expected, rtol=3e-7, atol=1e-5)


@pytest.mark.parametrize("name", ["avx2", "avx-vnni", "dotprod"])
def test_no_weights_are_stored_twice_where_any_can_be_multiplied(name):
    layer = int8_layer(np.full((64, 40, 1, 1), 127, np.int8), (1, 40, 1, 1))
    matrix = Int8Matrix(layer=layer, instructions=INSTRUCTION_SETS[name])
    assert matrix.constants["weight"].size == matrix.blocks * matrix.block * 40


def test_inputs_without_weights_in_a_block_are_not_stored():
    weight = np.zeros((64, 40, 1, 1), np.int8)
    weight[:16, 8:12] = 5
    weight[40, 3] = 7
    layer = int8_layer(weight, (1, 40, 1, 1))
    instructions = INSTRUCTION_SETS["dotprod"]  # 16 outputs a block
    kept = Int8Matrix(layer=layer, instructions=instructions)
    assert kept.constants["offset"].tolist() == [0, 1, 1, 2, 2]
    assert kept.constants["input"].tolist() == [2, 0]
    dense = Int8Matrix(layer=layer, instructions=instructions, sparse=False)
    assert dense.constants["input"].tolist() == [*range(10)] * 4
