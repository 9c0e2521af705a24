"""Which weights of a layer are kept, for properties of its storage."""

import numpy as np
from hypothesis import strategies as st

from tvm_patdnn.sparse.patterns import Pattern

__all__ = ["SHAPES", "full_pattern", "masks", "numbered"]

SHAPES = [(3, 3), (5, 5), (1, 1), (3, 1)]


@st.composite
def masks(draw) -> np.ndarray:
    """Which weights of a layer are kept: (filters, channels, kh, kw) bool."""
    height, width = draw(st.sampled_from(SHAPES))
    filters, channels = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    entries = draw(st.integers(1, min(9, height * width)))
    patterns = np.zeros((draw(st.integers(1, 10)), height * width), bool)
    for pattern in patterns:
        pattern[rng.choice(height * width, entries, replace=False)] = True
    kept = patterns[rng.integers(len(patterns), size=(filters, channels))]
    gone = rng.random((filters, channels)) < draw(st.sampled_from([0.0, 0.3, 0.8, 1.0]))
    gone |= (rng.random(filters) < draw(st.sampled_from([0.0, 0.3])))[:, None]  # whole filters
    return (kept & ~gone[:, :, None]).reshape(filters, channels, height, width)


def numbered(mask: np.ndarray) -> np.ndarray:
    """A weight whose values all differ, zero outside ``mask``."""
    return (np.arange(1, mask.size + 1).reshape(mask.shape) * mask).astype(np.float32)


def full_pattern(height: int, width: int) -> Pattern:
    return Pattern(kernel_shape=(height, width), taps=tuple(np.ndindex(height, width)))
