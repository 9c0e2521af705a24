"""What a tile of outputs reads of one input channel, and what each of it is used for."""

from __future__ import annotations

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

    A batch has all inputs of its taps: LLVM would keep the weights between two batches that share
    one, and spill. So the rows of a tile of one row are apart, and with a stride of 2 the odd
    columns from the even ones.
    """
    batches: list[tuple[set[int], Batch]] = []
    for place, uses in reads.items():
        taps, batch = {tap for tap, _ in uses}, [(place, uses)]
        apart = []
        for others, earlier in batches:
            if taps.isdisjoint(others):
                apart.append((others, earlier))
            else:
                taps, batch = taps | others, [*earlier, *batch]
        batches = [*apart, (taps, batch)]
    return [sorted(batch) for _, batch in sorted(batches, key=lambda each: min(each[1]))]
