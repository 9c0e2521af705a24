import numpy as np
import pytest
from tvm.script import tirx as T

from tests.built import library, require_linker
from tests.standalone.compiled_stages import run_kernel, split

N, ROWS, WIDTH = 48, 6, 512


@T.prim_func
def two_loops(x: T.Buffer((48,), "float32"), y: T.Buffer((48,), "float32")):
    squares = T.alloc_buffer((48,), "float32")
    first = T.alloc_buffer((1,), "float32")
    for i in T.parallel(48):
        squares[i] = x[i] * x[i]
    for i in range(1):
        first[i] = squares[0]
    for i in T.parallel(48):
        y[i] = squares[i] + squares[(i + 1) % 48] + first[0]


@T.prim_func
def no_loop_to_share(x: T.Buffer((48,), "float32"), y: T.Buffer((48,), "float32")):
    doubled = T.alloc_buffer((48,), "float32")
    for i in range(48):
        doubled[i] = x[i] * T.float32(2)
    for i in range(48):
        y[i] = doubled[47 - i]


@T.prim_func
def workspace(x: T.Buffer((6, 512), "float32"), y: T.Buffer((6, 512), "float32")):
    for i in T.parallel(6):
        row = T.alloc_buffer((512,), "float32")
        for k in range(512):
            row[511 - k] = x[i, k]
        for k in T.parallel(512):
            y[i, k] = row[k]


@T.prim_func
def long_loop(x: T.Buffer((48,), "float32"), y: T.Buffer((48,), "float32")):
    for i in T.parallel(T.int64(48)):
        y[i] = x[i] + T.float32(1)


@T.prim_func
def other_shape(x: T.Buffer((48,), "float32"), y: T.Buffer((48,), "float32")):
    rows = T.alloc_buffer((6, 8), "float32")
    flat = T.decl_buffer((48,), "float32", data=rows.data)
    for i in range(48):
        flat[i] = x[i] + x[i]
    for i, k in T.grid(6, 8):
        y[i * 8 + k] = rows[i, k]


X = np.random.default_rng(0).standard_normal(N).astype(np.float32)
ROWED = np.random.default_rng(0).standard_normal((ROWS, WIDTH)).astype(np.float32)
CASES = {
    "two loops": (two_loops, X, X**2 + np.roll(X**2, -1) + X[0] ** 2),
    "no loop to share": (no_loop_to_share, X, 2 * X[::-1]),
    "workspace": (workspace, ROWED, ROWED[:, ::-1]),
    "another shape of a buffer": (other_shape, X, 2 * X),
    "64 bit loop": (long_loop, X, X + 1),
}


@pytest.mark.parametrize("tasks", [1, 3, 100])
@pytest.mark.parametrize("name", CASES)
def test_parts_in_any_order_compute_the_whole(name, tasks, tmp_path):
    require_linker(library())
    func, x, expected = CASES[name]
    np.testing.assert_allclose(run_kernel(func, x, tasks, tmp_path), expected, rtol=1e-6)


def test_what_stands_between_loops_is_a_stage_for_one_thread():
    kernel = split(two_loops)
    assert [stage.symbol for stage in kernel.stages] == [f"m_k_kernel_{i}" for i in range(3)]
    assert [stage.iterations for stage in kernel.stages] == [48, 1, 48]
    assert sorted(kernel.shared) == [4, 192]


def test_stages_get_what_they_use_and_no_more():
    first, second, third = ({a.kind for a in stage.arguments} for stage in split(two_loops).stages)
    assert (first, second, third) == ({"parameter", "shared"}, {"shared"}, {"parameter", "shared"})
    assert [len(stage.arguments) for stage in split(two_loops).stages] == [2, 2, 3]


def test_small_buffers_of_one_stage_stay_on_the_stack():
    kernel = split(no_loop_to_share)
    assert [stage.symbol for stage in kernel.stages] == ["m_k_kernel"]
    assert kernel.shared == ()
    assert kernel.stages[0].scratch == 0


def test_each_thread_has_its_own_workspace():
    (stage,) = split(workspace).stages
    assert (stage.iterations, stage.scratch) == (ROWS, 4 * WIDTH)
    assert [argument.kind for argument in stage.arguments] == ["parameter", "parameter", "scratch"]
