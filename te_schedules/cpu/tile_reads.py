"""What a tile of outputs reads of one input channel, and what each of it is used for."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from tvm_patdnn.sparse.patterns import Pattern

__all__ = ["Batch", "Place", "Reads", "Uses", "input_batches", "tile_reads"]

Place = tuple[int, int]  # row and column, in vectors
Uses = list[tuple[int, Place]]  # number of a tap of the pattern, and the output it is for
Reads = dict[Place, Uses]  # by input vector
Batch = list[tuple[Place, Uses]]


def tile_reads(
    pattern: Pattern,
    places: Iterable[Place],
    stride: tuple[int, int],
    dilation: tuple[int, int],
) -> Reads:
    """Returns the input vectors that a tile reads, in order, each with its uses.

    Args:
        places: the tile's output vectors.
        stride, dilation: of the convolution, (y, x).
    """
    reads: Reads = {}
    for r, v in places:
        for tap, (y, x) in enumerate(pattern.taps):
            at = (r * stride[0] + y * dilation[0], v * stride[1] + x * dilation[1])
            reads.setdefault(at, []).append((tap, (r, v)))
    return dict(sorted(reads.items()))


def input_batches(reads: Reads) -> list[Batch]:
    """Divides what a tile reads into what Hold.INPUTS keeps in registers at a time.

    That is a row of inputs, if no tap is used in two of them, else all: LLVM would keep the
    weights between rows, and spill.
    """
    by_row = [list(row) for _, row in itertools.groupby(reads.items(), key=lambda read: read[0][0])]
    taps = [{tap for _, uses in row for tap, _ in uses} for row in by_row]
    if sum(map(len, taps)) == len(set[int]().union(*taps)):
        return by_row
    return [list(reads.items())]
