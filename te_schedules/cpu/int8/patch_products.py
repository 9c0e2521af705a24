"""Products of up to four taps of a channel: ``permute`` takes them from the channel's patches.

The pattern is data, the index of the permutation: kernels of all patterns are one loop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import ClassVar

import numpy as np
from tvm.tirx import Buffer, Cast

from te_schedules.cpu.int8.patch_strip import PatchStrip
from te_schedules.cpu.int8.sums import EntryPlace, Sums
from te_schedules.cpu.vector_code import Expr, VectorCode
from tvm_patdnn.sparse.quads import Quads

__all__ = ["PatchProducts"]

FOUR = 4  # taps


@dataclass(frozen=True, kw_only=True, eq=False)
class PatchProducts:
    """Multiplies entries that ``pack_patterns`` made.

    Attributes:
        patterns: of each up to four taps, numbered row by row.
    """

    quads: Quads
    patterns: Sequence[Sequence[int]]
    strip: PatchStrip
    name: ClassVar[str] = "the taps of a kernel at a time"
    loads: ClassVar[int] = 1

    @property
    def vectors(self) -> int:
        """Vectors of sums for a load."""
        return self.strip.shape.vectors

    @property
    def registers(self) -> int:
        """That an entry needs besides its weights and sums."""
        return self.vectors + 3

    @property
    def load_operations(self) -> float:
        """Vector operations of an entry and a load, besides dot products."""
        return 0.5 + self.vectors

    @property
    def unrolled(self) -> int:
        """See ``CellProducts``: lists begin with nothing in common."""
        return 0

    @property
    def order(self) -> list[int]:
        """See ``TapProducts``."""
        return list(range(self.vectors * self.strip.instructions.lanes))

    @cached_property
    def constants(self) -> Mapping[str, np.ndarray]:
        """What the code reads besides the strip and the weights."""
        channel, pattern = self.quads.index.T
        return {
            "channel": channel.astype(np.min_scalar_type(self.strip.planes - 1)),
            "pattern": pattern.astype(np.min_scalar_type(len(self.patterns) - 1)),
            "permutation": self._permutations(),
        }

    def _permutations(self) -> np.ndarray:
        """Returns (patterns * vectors * bytes,) uint8: which byte of a patch goes where."""
        instructions, shape = self.strip.instructions, self.strip.shape
        size, lanes = instructions.bytes, instructions.lanes
        table = np.zeros((len(self.patterns), self.vectors, size), np.uint8)
        for (p, taps), v, lane in product(
            enumerate(self.patterns), range(self.vectors), range(lanes)
        ):
            for t, tap in enumerate(taps):
                own = (v * lanes + lane) % shape.outs
                table[p, v, instructions.order(lane, t)] = shape.byte(
                    own, divmod(tap, shape.taps[1])
                )
        return table.reshape(-1)

    def with_rows(self, rows: int) -> PatchProducts:
        """Returns the same for strips of so many rows of outputs."""
        return replace(self, strip=replace(self.strip, rows=rows))

    def emit(
        self, sums: Sums, strip: Buffer, arrays: Sequence[Buffer], place: EntryPlace, at: Expr
    ) -> None:
        """See ``TapProducts``."""
        channel, pattern, permutation = arrays
        instructions = self.strip.instructions
        assert instructions.permute is not None
        size = instructions.bytes
        code = VectorCode(size, "uint8")
        first = Cast("int32", pattern[place.entry]) * (self.vectors * size)
        orders = sums.hold([code.load(permutation, first + v * size) for v in range(self.vectors)])
        start = Cast("int32", channel[place.entry]) * self.strip.channel_bytes
        start = start + at * FOUR // self.vectors
        for i in range(sums.tile):
            patch = sums.held(code.load(strip, start + i * size))
            sums.add(i, [instructions.permute(patch, order) for order in orders])
