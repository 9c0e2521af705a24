import numpy as np
import pytest
from tvm.tirx import Buffer

from te_schedules.cpu.transpose import emit_transposed
from te_schedules.cpu.vector_code import VectorCode, prim_func
from tests.te_schedules.cpu.lane_kernels import run_kernel


@pytest.mark.parametrize("lanes", [2, 4, 8, 16])
def test_rows_become_columns(lanes):
    def body(data: Buffer, output: Buffer) -> None:
        code = VectorCode(lanes)
        rows = code.registers(lanes)
        for i, register in enumerate(rows):
            code.set(register, code.load(data, i, 0))
        for i, register in enumerate(emit_transposed(code, rows)):
            code.store(output, code.get(register), i, 0)

    square = np.arange(lanes * lanes, dtype=np.float32).reshape(lanes, lanes)
    func = prim_func([(name, square.shape, "float32") for name in ("data", "output")], body)
    assert np.array_equal(run_kernel(func, [square], square.shape), square.T)
