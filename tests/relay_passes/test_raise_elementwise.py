import numpy as np
import pytest
import tvm
from tvm import relax, te

from relay_passes.raise_elementwise import RaiseElementwise
from tests.relay_passes.relax_modules import Net, const, operators, rewritten

SHAPE = (1, 3, 4, 5)


def call_of(compute, *operands) -> tvm.IRModule:
    """A module that calls the kernel which ``compute`` describes."""
    net = Net(SHAPE)
    return net.module(lambda x: net.builder.emit_te(compute, x, *operands))


def bounded(extremum, swap: bool = False):
    def compute(x, bound):
        def value(*at):
            pair = (x(*at), bound())
            return extremum(*(reversed(pair) if swap else pair))

        return te.compute(x.shape, value)

    return compute


@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_a_bound_that_is_an_argument(name):
    extremum = {"maximum": tvm.tirx.max, "minimum": tvm.tirx.min}[name]
    new = rewritten(RaiseElementwise(), call_of(bounded(extremum), const(0.5)))
    assert operators(new) == [name]


def test_a_bound_that_is_a_number():
    def compute(x):
        return te.compute(x.shape, lambda *at: tvm.tirx.max(x(*at), 0.25))

    assert operators(rewritten(RaiseElementwise(), call_of(compute))) == ["maximum"]


LEFT = {
    "a sum": (lambda x, b: te.compute(x.shape, lambda *at: x(*at) + b()), const(1.0)),
    "another place": (
        lambda x, b: te.compute(x.shape, lambda n, c, h, w: tvm.tirx.max(x(n, c, 3 - h, w), b())),
        const(1.0),
    ),
    "a bound for each channel": (
        lambda x, b: te.compute(x.shape, lambda n, c, h, w: tvm.tirx.max(x(n, c, h, w), b(c))),
        const(np.ones(3)),
    ),
    "another shape": (
        lambda x, b: te.compute(
            (2, 3, 4, 5), lambda n, c, h, w: tvm.tirx.max(x(n - n, c, h, w), b())
        ),
        const(1.0),
    ),
}


@pytest.mark.parametrize(("compute", "operand"), LEFT.values(), ids=LEFT)
def test_other_kernels_are_left(compute, operand):
    mod = call_of(compute, operand)
    assert operators(rewritten(RaiseElementwise(), mod, numbers=False)) == operators(mod)


def test_other_operators_are_left():
    net = Net(SHAPE)
    mod = net.module(lambda x: net(relax.op.maximum(net(relax.op.exp(x)), const(1.0))))
    assert operators(rewritten(RaiseElementwise(), mod, numbers=False)) == ["exp", "maximum"]


def test_twice_is_once():
    once = RaiseElementwise()(call_of(bounded(tvm.tirx.max), const(0.5)))
    tvm.ir.assert_structural_equal(RaiseElementwise()(once), once)
