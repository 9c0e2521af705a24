import numpy as np
import pytest
from tvm.tirx.script import builder as T

from te_schedules.cpu.vector_code import VectorCode, constant_vector, prim_func, when
from tests.te_schedules.cpu.lane_kernels import run_kernel

DATA = np.arange(1, 9, dtype=np.float32)


def run(emit, lanes: int = 4) -> list[float]:
    """Runs ``emit(code, data (8,), output (8,))`` on 1 to 8."""
    code = VectorCode(lanes)
    func = prim_func(
        [("data", (8,), "float32"), ("output", (8,), "float32")],
        lambda data, output: emit(code, data, output),
    )
    return run_kernel(func, [DATA], (8,)).tolist()


@pytest.mark.parametrize("lanes", [4, 8])
def test_vectors_are_loaded_kept_and_stored(lanes):
    def emit(code, data, output):
        register = code.register()
        with T.serial(8 // lanes) as i:
            code.set(register, code.load(data, i * lanes) * code.broadcast(2.0))
            code.store(output, code.get(register) + code.broadcast(data[0]), i * lanes)

    assert run(emit, lanes) == (2 * DATA + 1).tolist()


def test_lanes_are_permuted_and_cleared():
    def emit(code, data, output):
        code.store(output, code.permute(code.load(data, 0), [3, None, 0, 0]), 0)
        code.store(output, code.permute(code.load(data, 4), [0, 1, 2, 3]), 4)

    assert run(emit) == [4, 0, 1, 1, 5, 6, 7, 8]


@pytest.mark.parametrize("write", [False, True])
def test_prefetching_changes_nothing(write):
    def emit(code, data, output):
        with T.serial(2) as i:
            code.prefetch(output if write else data, i * 4, write=write)
            code.store(output, code.load(data, i * 4), i * 4)

    assert run(emit) == DATA.tolist()


def test_what_is_conditional_runs_where_all_conditions_hold():
    def emit(code, data, output):
        with T.serial(2) as i:
            code.store(output, code.broadcast(0.0), i * 4)
            with when(i > 0, i < 2):
                code.store(output, code.load(data, i * 4), i * 4)

    assert run(emit) == [0, 0, 0, 0, 5, 6, 7, 8]


def test_without_conditions_it_always_runs():
    def emit(code, data, output):
        with when():
            code.store(output, code.load(data, 0), 0)
            code.store(output, code.load(data, 0), 4)

    assert run(emit) == [1, 2, 3, 4] * 2


def test_vectors_of_integers():
    def emit(code, data, output):
        picked = constant_vector([3, 2, 1, 0])
        code.store(output, data[picked], 0)
        code.store(output, data[picked + constant_vector([4, 4, 4, 4])], 4)

    assert run(emit) == [4, 3, 2, 1, 8, 7, 6, 5]


def test_kernels_are_opaque_to_fusion_and_free_to_be_named():
    func = prim_func([("x", (4,), "float32")], lambda x: T.buffer_store(x, T.float32(0), [0]))
    assert int(func.attrs["op_pattern"]) == 8
    assert "global_symbol" not in func.attrs
