import numpy as np
import pytest
from tvm import relax

from relay_passes.legalize_bounds import BOUNDS
from tests.relay_passes.relax_modules import Net, random_array, run_module

SHAPE = (2, 3, 4)


def with_nan(*shape, at=0, seed=0):
    array = random_array(*shape, seed=seed)
    array.reshape(-1)[at] = np.nan
    return array


def run(operator, *inputs):
    net = Net(*(value.shape for value in inputs))
    mod = net.module(lambda *args: net(operator(*args)))
    (got,) = run_module(relax.transform.LegalizeOps(BOUNDS)(mod), *inputs)
    return got


def test_relu():
    x = with_nan(*SHAPE)
    np.testing.assert_array_equal(run(relax.op.nn.relu, x), np.maximum(x, 0))


def test_clip():
    x = with_nan(*SHAPE)
    got = run(lambda data: relax.op.clip(data, -0.5, 0.25), x)
    np.testing.assert_array_equal(got, np.clip(x, np.float32(-0.5), np.float32(0.25)))


@pytest.mark.parametrize("shape", [SHAPE, (4,), (3, 1), (1, 2, 3, 4)], ids=str)
@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_of_two(name, shape):
    left, right = with_nan(*SHAPE), with_nan(*shape, at=-1, seed=1)
    expected = getattr(np, name)(left, right)
    np.testing.assert_array_equal(run(getattr(relax.op, name), left, right), expected)


def test_of_whole_numbers():
    net = Net(SHAPE, SHAPE, dtype="int32")
    mod = net.module(lambda a, b: net(relax.op.maximum(a, b)))
    a, b = (np.int32(9 * random_array(*SHAPE, seed=seed)) for seed in (1, 2))
    (got,) = run_module(relax.transform.LegalizeOps(BOUNDS)(mod), a, b)
    np.testing.assert_array_equal(got, np.maximum(a, b))
