import numpy as np
import pytest
import tvm
from tvm import relax

from relay_passes.fold_constant_views import FoldConstantViews
from relay_passes.relax_ir.values import constant_value
from tests.relay_passes.relax_modules import Net, bindings_of, const, operators, rewritten

BIAS = np.arange(4, dtype=np.float32)


def biased(*views) -> tvm.IRModule:
    net = Net((1, 4, 3, 5))

    def body(x):
        value = const(BIAS)
        for view in views:
            value = net(view(value))
        return net(relax.op.add(x, value))

    return net.module(body)


@pytest.mark.parametrize(
    "views",
    [
        [lambda v: relax.op.reshape(v, (1, 4, 1, 1))],
        [lambda v: relax.op.reshape(v, (4, 1)), lambda v: relax.op.expand_dims(v, -1)],
        [
            lambda v: relax.op.reshape(v, (1, 1, 4, 1)),
            lambda v: relax.op.permute_dims(v, (0, 2, 1, 3)),
        ],
        [
            lambda v: relax.op.reshape(v, (1, 1, 4, 1, 1)),
            lambda v: relax.op.squeeze(v, [0]),
        ],
        [
            lambda v: relax.op.reshape(v, (1, 1, 4, 1)),
            lambda v: relax.op.permute_dims(v),
            lambda v: relax.op.permute_dims(v, (0, 1, 3, 2)),
        ],
    ],
    ids=["reshape", "expand", "permute", "squeeze", "reverse"],
)
def test_views_of_constants_are_folded(views):
    # The last one ends as (1, 4, 1, 1) only if axes are taken as they are meant.
    new = rewritten(FoldConstantViews(), biased(*views))
    assert operators(new) == ["add"]


def test_other_operators_and_other_operands_are_left_alone():
    net = Net((1, 4, 3, 5))

    def body(x):
        doubled = net(relax.op.multiply(const(BIAS), const(2.0)))
        flat = net(relax.op.reshape(x, (4, 15)))
        return net(relax.op.add(flat, net(relax.op.reshape(doubled, (4, 1)))))

    mod = net.module(body)
    new = rewritten(FoldConstantViews(), mod)
    assert operators(new) == operators(mod) == ["multiply", "reshape", "reshape", "add"]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32", "int64", "bool"])
def test_the_type_of_a_constant_is_kept(dtype):
    value = np.arange(6).reshape(2, 3).astype(dtype)
    net = Net()
    mod = net.module(lambda: net(relax.op.permute_dims(relax.const(value, dtype))))
    new = FoldConstantViews()(mod)
    assert str(new["main"].ret_ty.dtype) == dtype
    folded = [constant_value(binding.value) for binding in bindings_of(new)]
    assert folded[0].dtype == dtype
    assert np.array_equal(folded[0], value.T)


def test_a_constant_that_is_returned():
    net = Net((2,))
    mod = net.module(lambda x: (x, net(relax.op.reshape(const(BIAS), (2, 2)))))
    assert operators(rewritten(FoldConstantViews(), mod)) == []


def test_twice_is_once():
    once = FoldConstantViews()(biased(lambda v: relax.op.reshape(v, (1, 4, 1, 1))))
    tvm.ir.assert_structural_equal(FoldConstantViews()(once), once)


@pytest.mark.parametrize(
    ("scale", "zero"),
    [
        (np.float32(0.5), np.int8(3)),
        (np.array([0.5, 2, 3, 4], np.float32), np.zeros(4, np.int8)),
        (np.array([0.5, 2, 3, 4], np.float32), np.arange(4, dtype=np.int8)),
    ],
)
def test_constants_that_are_stored_as_integers_become_numbers(scale, zero):
    net = Net((1, 3, 4, 5))
    integers = np.arange(-6, 6, dtype=np.int8).reshape(4, 3, 1, 1)

    def body(x):
        constants = map(relax.const, (integers, scale, zero))
        weight = net(relax.op.dequantize(*constants, axis=0))
        return net(relax.op.nn.conv2d(x, weight))

    mod = net.module(body)
    new = rewritten(FoldConstantViews(), mod)
    assert operators(new) == ["conv2d"]
    kept = FoldConstantViews(integers=False)(mod)
    assert operators(kept) == ["dequantize", "conv2d"]
