"""How the tensors of quantised networks are stored: as bytes, plane by plane, row by row.

There is no halo, and no order but that of the pixels, so that every operator can read and write
them. Planes are an odd number of cache lines apart: an even number, such as a power of two, would
put the same pixel of many planes into one set of a cache. What is behind the pixels of a plane may
be read and written, and has any value.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from te_schedules.cpu.odd_lines import odd_lines

__all__ = ["LINE", "SLACK", "plane_bytes", "stored_shape"]

LINE = 64  # bytes of a cache line, and of the widest vector
SLACK = 8  # bytes behind the last pixel, at least


def plane_bytes(pixels: int) -> int:
    """Returns how far planes of ``pixels`` bytes are apart."""
    return odd_lines(pixels + SLACK, 1)


def stored_shape(shape: Sequence[int]) -> tuple[int, int, int]:
    """Returns the shape (n, planes, bytes) in which a tensor (n, c, ...) is stored.

    A tensor of one value for each channel is one plane.
    """
    batch, channels, *sizes = shape
    pixels = math.prod(sizes)
    if pixels == 1:
        return batch, 1, plane_bytes(channels)
    return batch, channels, plane_bytes(pixels)
