import numpy as np
import pytest
import tvm
from tvm import relax
from tvm.tirx import PrimFunc

from relay_passes.schedule_fallback import MIN_PARALLEL, OPAQUE, ScheduleFallback
from tests.relay_passes.relax_modules import (
    CPU,
    Net,
    assert_same_numbers,
    const,
    random_array,
    run_module,
)

PARALLEL, VECTORIZED = "T.parallel(", "T.vectorized("


def lowered(*shapes, body) -> tvm.IRModule:
    """A module of the kernels that TVM makes for ``body(*inputs)``."""
    net = Net(*shapes)
    mod = net.module(lambda *inputs: net(body(*inputs)))
    passes = [
        relax.transform.LegalizeOps(),
        relax.transform.AnnotateTIROpPattern(),
        relax.transform.FuseOps(),
        relax.transform.FuseTIR(),
    ]
    return tvm.transform.Sequential(passes)(mod)


def scheduled(mod: tvm.IRModule) -> tvm.IRModule:
    """Checks that ``mod`` is left as it is, and the numbers."""
    before = tvm.ir.load_json(tvm.ir.save_json(mod))
    new = ScheduleFallback(cpu=CPU)(mod)
    tvm.ir.assert_structural_equal(mod, before, map_free_vars=True)
    assert_same_numbers(mod, new)
    return new


def text(mod: tvm.IRModule) -> str:
    """The kernels as TVMScript."""
    return "".join(f.script() for f in mod.functions.values() if isinstance(f, PrimFunc))


OPERATORS = {
    "softmax": ([(16, 200)], lambda x: relax.op.nn.softmax(x, -1)),
    "softmax of channels": ([(1, 2, 40, 40)], lambda x: relax.op.nn.softmax(x, 1)),
    "mean of rows": ([(64, 256)], lambda x: relax.op.mean(x, -1)),
    "mean of columns": ([(256, 64)], lambda x: relax.op.mean(x, 0)),
    "sum of planes": ([(1, 3, 64, 64)], lambda x: relax.op.sum(x, [2, 3])),
    "maximum of all": ([(3, 64, 64)], relax.op.max),
    "rows that fill no vector": ([(7, 1201)], lambda x: relax.op.sum(x, 1)),
    "columns that fill no vector": ([(96, 101)], lambda x: relax.op.sum(x, 0)),
    "matmul": ([(4, 30, 24), (4, 24, 20)], relax.op.matmul),
    "matmul, transposed": (
        [(40, 24), (50, 24)],
        lambda x, y: relax.op.matmul(x, relax.op.permute_dims(y)),
    ),
    "conv2d_transpose": (
        [(1, 4, 14, 14), (4, 6, 3, 3)],
        lambda x, w: relax.op.nn.conv2d_transpose(x, w, strides=2, padding=1),
    ),
    "average": ([(1, 8, 28, 28)], lambda x: relax.op.nn.avg_pool2d(x, (3, 3), (2, 2), (1, 1))),
    "resize": (
        [(1, 4, 28, 28)],
        lambda x: relax.op.image.resize2d(x, (56, 56), method="linear", layout="NCHW"),
    ),
    "layer norm": (
        [(40, 96), (96,), (96,)],
        lambda x, g, b: relax.op.nn.layer_norm(x, g, b, axes=[-1]),
    ),
    "transpose": ([(1, 48, 48, 5)], lambda x: relax.op.permute_dims(x, (0, 3, 1, 2))),
    "one value": ([(1,)], relax.op.exp),
}


@pytest.mark.parametrize("operator", OPERATORS.values(), ids=OPERATORS)
def test_numbers_stay(operator):
    shapes, body = operator
    scheduled(lowered(*shapes, body=body))


def test_large_functions_are_shared_by_the_cores():
    assert PARALLEL in text(scheduled(lowered((64, 256), body=relax.op.exp)))
    assert PARALLEL in text(scheduled(lowered((3 * MIN_PARALLEL,), body=relax.op.exp)))


def test_small_functions_are_not():
    assert PARALLEL not in text(scheduled(lowered((16, 16), body=relax.op.exp)))
    assert PARALLEL not in text(scheduled(lowered((16, 16), body=lambda x: relax.op.sum(x, 1))))


@pytest.mark.parametrize(
    ("shapes", "body"),
    [OPERATORS[name] for name in ("mean of rows", "mean of columns", "matmul")],
)
def test_sums_are_vectors(shapes, body):
    mod = lowered(*shapes, body=body)
    assert VECTORIZED not in text(mod)
    assert VECTORIZED in text(scheduled(mod))


def test_a_strided_read_is_no_vector():
    shapes, body = OPERATORS["average"]
    assert VECTORIZED not in text(scheduled(lowered(*shapes, body=body)))


def test_chains_of_elementwise_operators_are_one_loop_nest():
    mod = lowered((4, 8), body=lambda x: relax.op.exp(relax.op.add(x, const(1.0))))
    assert text(mod).count("for ") == 2 * text(scheduled(mod)).count("for ") > 0


def test_what_a_sum_reads_often_is_computed_once():
    mod = lowered((64, 48), (48, 64), body=lambda x, y: relax.op.matmul(relax.op.exp(x), y))
    new = text(scheduled(mod))
    assert new.count("T.exp(") == 1
    assert PARALLEL in new
    assert VECTORIZED in new


def test_our_own_kernels_are_left():
    mod = lowered((64, 256), body=relax.op.exp)
    (var,) = [v for v, f in mod.functions.items() if isinstance(f, PrimFunc)]
    mod[var] = mod[var].with_attr("op_pattern", OPAQUE)
    tvm.ir.assert_structural_equal(ScheduleFallback(cpu=CPU)(mod)[var], mod[var])


def test_dynamic_shapes_are_left():
    n = tvm.tirx.Var("n", "int64")
    mod = lowered((n, 256), body=relax.op.exp)
    new = ScheduleFallback(cpu=CPU)(mod)
    machine = relax.VirtualMachine(relax.build(new, "llvm"), tvm.cpu())
    data = random_array(70, 256)
    got = machine["main"](tvm.runtime.tensor(data)).numpy()
    np.testing.assert_allclose(got, np.exp(data), rtol=1e-5)


# Shapes and how often they are repeated; LLVM computed the first three wrong in loops of its own.
REPEATED = [
    ((1, 3, 4, 4), (1, 6, 4, 1)),
    ((1, 12, 8, 8), (1, 1, 2, 2)),
    ((1, 2, 8, 4), (1, 3, 4, 2)),
    ((1, 2, 3, 17), (1, 2, 2, 1)),
    ((1, 2, 4, 1), (2, 3, 4, 1)),
    ((1, 1, 37, 1), (1, 2, 1, 1)),
]


@pytest.mark.parametrize(("shape", "repeats"), REPEATED, ids=str)
def test_what_is_read_again_and_again_is_read_in_vectors(shape, repeats):
    mod = lowered(shape, body=lambda x: relax.op.tile(x, repeats))
    new = ScheduleFallback(cpu=CPU)(mod)
    assert VECTORIZED in text(new)
    x = random_array(*shape)
    (got,) = run_module(new, x)
    np.testing.assert_array_equal(got, np.tile(x, repeats))


def test_channels_are_shuffled_in_vectors():
    def body(x):
        moved = relax.op.permute_dims(relax.op.reshape(x, (1, 4, 4, 6, 10)), (0, 2, 1, 3, 4))
        return relax.op.reshape(moved, (1, 16, 6, 10))

    new = scheduled(lowered((1, 16, 6, 10), body=body))
    assert VECTORIZED in text(new)
