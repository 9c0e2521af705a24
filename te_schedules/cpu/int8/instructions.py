"""The two primitives of which kernels for bytes are made, for each set of instructions.

``dot`` adds, to each int32 of a vector, the products of four bytes with four weights.
``permute`` gathers bytes of a vector. A target has them in one of these forms, or in none;
then they are written in operations that every processor has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from te_schedules.cpu.int8.layer import Int8Layer
from te_schedules.cpu.int8.requantise import Pack
from te_schedules.cpu.vector_code import Expr
from tvm_patdnn.sparse.quads import UNLIMITED

__all__ = ["Instructions"]


@dataclass(frozen=True, kw_only=True)
class Instructions:
    """What kernels need to know of a set of instructions.

    Attributes:
        name: as reports and tests call it.
        lanes: int32 of a vector, which holds four times as many bytes.
        registers: vectors that a kernel can keep.
        dot: (sums int32, bytes uint8, weights int8) -> sums.
        order: (pixel, tap) -> which byte of a vector ``dot`` takes for them.
        interleave: four vectors of bytes of one tap each -> four for ``dot``.
        pixel: (vector, lane) -> the pixel that a lane of what ``interleave`` returns is for.
        spread: a scalar of four weights (int32) -> the vector that ``dot`` takes.
        dot_operations: that ``dot`` is.
        in_flight: vectors of parts of products, which processors have several of at one time.
        signed: ``dot`` takes bytes whose highest bit was flipped.
        pair_limit: two neighbouring weights of one sign may add up to this, or ``dot``
            would overflow.
        couple_dot: (sums int32, bytes, weights, bytes, weights) -> sums, of two vectors of bytes
            whose products are added before they are widened; None: there is none.
        any_dot: ``dot`` for any weights, slower; None if that is ``dot`` with some stored twice.
        reach: ``permute`` finds a byte among this many, in each part of that size; 0: none.
        permute: (bytes, index) -> bytes.
        pack: (four vectors of float32, a byte) -> their bytes, rounded half to even, added to
            the byte, and clipped; in each part of 16, four of one vector, then of the next.
    """

    name: str
    lanes: int
    registers: int
    dot: Callable[[Expr, Expr, Expr], Expr]
    order: Callable[[int, int], int]
    interleave: Callable[[Sequence[Expr]], list[Expr]]
    pixel: Callable[[int, int], int]
    spread: Callable[[Expr], Expr]
    dot_operations: int
    in_flight: int = 0
    signed: bool = False
    pair_limit: int = UNLIMITED
    couple_dot: Callable[[Expr, Expr, Expr, Expr, Expr], Expr] | None = None
    any_dot: Callable[[Expr, Expr, Expr], Expr] | None = None
    reach: int = 0
    permute: Callable[[Expr, Expr], Expr] | None = None
    pack: Pack | None = None

    @property
    def bytes(self) -> int:
        """Of a vector."""
        return 4 * self.lanes

    @property
    def has_cells(self) -> bool:
        """Whether ``dot`` takes the four bytes of a pixel from beside each other."""
        return all(self.order(i // 4, i % 4) == i for i in range(self.bytes))

    @property
    def flip(self) -> int:
        """Bits of each byte of the input that are flipped for ``dot``."""
        return 128 if self.signed else 0

    def bias(self, layer: Int8Layer) -> np.ndarray:
        """Returns (filters,) int32: the bias of sums of the bytes that ``dot`` sees."""
        totals = layer.weight.astype(np.int32).sum(axis=(1, 2, 3))
        return np.asarray(layer.bias + self.flip * totals, np.int32)
