import numpy as np
import pytest
from tvm.tirx import Buffer

from te_schedules.cpu.linear_map import emit_linear_map
from te_schedules.cpu.vector_code import VectorCode, prim_func
from te_schedules.cpu.winograd_transform import WinogradTransform
from tests.te_schedules.cpu.lane_kernels import random_array, run_kernel

LANES = 4
MATRICES = {
    "of inputs": WinogradTransform(4, 3).of_inputs,
    "of outputs": WinogradTransform(4, 3).of_outputs,
    "of two outputs": WinogradTransform(2, 3).of_outputs,
    "identity": np.eye(3),
    "any": random_array(3, 5).astype(np.float64),
    "a zero row": np.array([[0.0, 2.0], [1.0, -1.0]]),
    "rows of opposite signs": np.array([[1.0, 2.0], [-1.0, -2.0]]),
}


def mapped(matrix: np.ndarray, values: np.ndarray) -> np.ndarray:
    code = VectorCode(LANES)

    def body(data: Buffer, output: Buffer) -> None:
        registers = code.registers(len(values))
        for i, register in enumerate(registers):
            code.set(register, code.load(data, i * LANES))
        for i, result in enumerate(emit_linear_map(code, matrix, registers)):
            code.store(output, code.get(result), i * LANES)

    params = [("data", (values.size,), "float32"), ("output", (len(matrix) * LANES,), "float32")]
    return run_kernel(prim_func(params, body), (values.reshape(-1),), (len(matrix) * LANES,))


@pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES)
def test_the_result_is_the_product(matrix):
    values = random_array(matrix.shape[1], LANES)
    got = mapped(matrix, values).reshape(-1, LANES)
    np.testing.assert_allclose(got, matrix @ values, rtol=1e-5, atol=1e-5)
