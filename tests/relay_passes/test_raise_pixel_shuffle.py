import numpy as np
import pytest
import torch
import tvm
from tvm import relax

from relay_passes.raise_pixel_shuffle import RaisePixelShuffle, legalize_pixel_shuffle
from tests.relay_passes.relax_modules import (
    Net,
    assert_same_numbers,
    operators,
    random_array,
    rewritten,
    run_module,
)

MOVED = (0, 1, 4, 2, 5, 3)


def shuffle(split, axes=MOVED, joined=(2, 3, 8, 10), shape=(2, 12, 4, 5)) -> tvm.IRModule:
    net = Net(shape)

    def body(x):
        moved = net(relax.op.permute_dims(net(relax.op.reshape(x, split)), axes))
        return net(relax.op.reshape(moved, joined))

    return net.module(body)


def raised(mod: tvm.IRModule, numbers: bool = True) -> list[str]:
    new = rewritten(RaisePixelShuffle(), mod, numbers=False)
    if numbers:  # TVM cannot compile its own operator
        legalize = {"relax.nn.pixel_shuffle": legalize_pixel_shuffle}
        assert_same_numbers(mod, relax.transform.LegalizeOps(legalize)(new))
    return operators(relax.transform.DeadCodeElimination()(new))


def test_a_pixel_shuffle_is_raised():
    assert raised(shuffle((2, 3, 2, 2, 4, 5))) == ["pixel_shuffle"]


@pytest.mark.parametrize(
    "options",
    [
        {"split": (2, 2, 2, 3, 4, 5), "axes": (0, 3, 4, 1, 5, 2)},
        {"split": (2, 3, 2, 2, 4, 5), "axes": (0, 1, 4, 3, 5, 2)},
        {"split": (2, 3, 4, 1, 4, 5), "joined": (2, 3, 16, 5)},
        {"split": (2, 3, 2, 2, 4, 5), "joined": (6, 8, 10)},
        {"split": (2, 3, 2, 2, 5, 4), "joined": (2, 3, 10, 8)},
    ],
    ids=["depth to space", "swapped", "not square", "joined otherwise", "another plane"],
)
def test_what_is_none_is_left(options):
    assert raised(shuffle(**options), numbers=False) == ["reshape", "permute_dims", "reshape"]


def test_what_is_read_on_the_way_stays():
    net = Net((2, 12, 4, 5))

    def body(x):
        moved = net(relax.op.permute_dims(net(relax.op.reshape(x, (2, 3, 2, 2, 4, 5))), MOVED))
        return net(relax.op.reshape(moved, (2, 3, 8, 10))), net(relax.op.exp(moved))

    assert raised(net.module(body)) == ["reshape", "permute_dims", "pixel_shuffle", "exp"]


def test_twice_is_once():
    once = RaisePixelShuffle()(shuffle((2, 3, 2, 2, 4, 5)))
    tvm.ir.assert_structural_equal(RaisePixelShuffle()(once), once)


def test_a_pixel_shuffle_that_is_not_in_lanes_is_legalised():
    net = Net((2, 18, 4, 5))
    mod = net.module(lambda x: net(relax.op.nn.pixel_shuffle(x, 3)))
    new = relax.transform.LegalizeOps({"relax.nn.pixel_shuffle": legalize_pixel_shuffle})(mod)
    data = random_array(2, 18, 4, 5)
    expected = torch.nn.functional.pixel_shuffle(torch.from_numpy(data), 3).numpy()
    assert np.array_equal(run_module(new, data)[0], expected)
