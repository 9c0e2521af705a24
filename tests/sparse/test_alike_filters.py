import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.sparse.test_pack_quads import random_weight
from tvm_patdnn.sparse.alike_filters import alike_order


def blocks(size: int, filters: int = 16, channels: int = 60) -> np.ndarray:
    """A weight whose blocks of neighbours keep the same; quantising took a few of these."""
    rng = np.random.default_rng(0)
    kept = np.repeat(rng.random((filters // size, channels)) < 0.3, size, axis=0)
    lost = rng.random(kept.shape) < 0.02
    weight = rng.integers(1, 60, kept.shape) * (kept & ~lost)
    return weight.astype(np.int8)[:, :, None, None]


@given(st.permutations(range(16)))
def test_blocks_are_found_wherever_their_filters_are(shuffle):
    order = alike_order(blocks(4)[shuffle])
    block_of = np.array(shuffle)[np.arange(16) if order is None else order] // 4
    assert (block_of.reshape(4, 4) == block_of.reshape(4, 4)[:, :1]).all()


def test_blocks_of_neighbours_stay():
    assert alike_order(blocks(4)) is None


def test_filters_that_were_pruned_alone_stay():
    assert alike_order(random_weight(0, 32, 64, 3, 3, keep=0.3)) is None
    assert alike_order(random_weight(0, 32, 64, 3, 3, keep=1.0)) is None
    assert alike_order(np.zeros((4, 8, 1, 1), np.int8)) is None
