import numpy as np
import tvm
from tvm.tirx.script import builder as T

from te_schedules.tir_function import prim_func, when


def doubled(limit: int) -> tvm.tirx.PrimFunc:
    def body(data, output) -> None:
        with T.serial(4) as i, when(i < limit, data[i] > T.float32(0)):
            T.buffer_store(output, data[i] * T.float32(2), [i])

    return prim_func([("data", (4,), "float32"), ("output", (4,), "float32")], body)


def test_statements_run_where_all_conditions_hold():
    mod = tvm.IRModule({"main": doubled(3).with_attr("global_symbol", "main")})
    output = tvm.runtime.tensor(np.zeros(4, np.float32))
    data = tvm.runtime.tensor(np.array([1, -1, 2, 3], np.float32))
    tvm.compile(mod, target="llvm").jit()["main"](data, output)
    assert output.numpy().tolist() == [2, 0, 4, 0]


def test_a_function_names_its_parameters_and_is_opaque():
    func = doubled(3)
    assert [p.name for p in func.params] == ["data", "output"]
    assert func.attrs["op_pattern"] == 8
    assert func.attrs["tirx.noalias"]
    assert "global_symbol" not in func.attrs
