import pytest
from tvm import relax

from relay_passes.raise_stacked import RaiseStacked
from tests.relay_passes.relax_modules import Net, operators, rewritten

SHAPE = (1, 3, 4, 5)


def reduced(operator, *shapes, axis=0, stacked=0, **options):
    net = Net(*shapes)

    def body(*inputs):
        equal = [net(relax.op.broadcast_to(x, SHAPE)) for x in inputs]
        return net(operator(net(relax.op.stack(equal, axis=stacked)), axis=axis, **options))

    return net.module(body)


def raised(mod):
    return operators(relax.transform.DeadCodeElimination()(rewritten(RaiseStacked(), mod)))


@pytest.mark.parametrize("name", ["max", "min", "sum"])
def test_a_reduction_of_a_stack_is_a_chain(name):
    binary = {"max": "maximum", "min": "minimum", "sum": "add"}[name]
    assert raised(reduced(getattr(relax.op, name), SHAPE, SHAPE, SHAPE)) == [binary] * 2


def test_what_is_enlarged_stays_enlarged():
    assert raised(reduced(relax.op.max, SHAPE, (3, 1, 1))) == ["broadcast_to", "maximum"]


@pytest.mark.parametrize(
    "other",
    [{"axis": 1}, {"axis": None}, {"keepdims": True}, {"stacked": 1}],
    ids=str,
)
def test_other_reductions_are_left(other):
    assert raised(reduced(relax.op.max, SHAPE, SHAPE, **other))[-1] == "max"


def test_means_are_left():
    assert raised(reduced(relax.op.mean, SHAPE, SHAPE))[-1] == "mean"
