import math

import numpy as np
from tvm import relax

from relay_passes.int8.drafts import Draft, Known, finish
from relay_passes.int8.encodings import Encoding
from relay_passes.int8.graph import Encoded, Sum, View


def tensor(scale: float = 1.0) -> Encoded:
    var = relax.Var("x", relax.TensorType((1, 4), "uint8"))
    return Encoded(var, Encoding(scale=scale, zero=0))


def test_bounds_narrow():
    draft = Draft(operator=Sum(), inputs=(tensor(),))
    assert not draft.is_bounded
    bounded = draft.within(0, math.inf).within(-2, 6)
    assert (bounded.low, bounded.high) == (0, 6)
    assert bounded.is_bounded


def test_bounds_become_bytes():
    draft = Draft(operator=Sum(), inputs=(tensor(),)).within(0, 6)
    node = finish(draft, tensor().var, Encoding(scale=0.5, zero=10))
    assert (node.low, node.high) == (10, 22)


def test_bytes_that_are_kept_need_the_same_encoding():
    draft = Draft(operator=View(), inputs=(tensor(),))
    assert finish(draft, tensor().var, tensor().encoding) is not None
    assert finish(draft, tensor().var, tensor(0.5).encoding) is None


def test_what_is_known_of_constants():
    known = Known()
    np.testing.assert_array_equal(known.values(relax.const([1.0, 2.0])), [1, 2])
    assert known.integers(relax.const([1.0])) is None
    assert known.draft(relax.const([1.0])) is None
