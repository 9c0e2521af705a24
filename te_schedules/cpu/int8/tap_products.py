"""Products of any four taps of any channels: their bytes are put together where they are used.

That serves whatever was pruned, of any window, and depthwise convolutions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
from tvm.tirx import Buffer, Cast

from te_schedules.cpu.int8.flat_strip import FlatStrip
from te_schedules.cpu.int8.sums import EntryPlace, Sums
from te_schedules.cpu.vector_code import Expr, VectorCode
from tvm_patdnn.sparse.quads import Quads

__all__ = ["TapProducts"]

TAPS = range(4)


@dataclass(frozen=True, kw_only=True, eq=False)
class TapProducts:
    """Multiplies entries that ``pack_taps`` made.

    Attributes:
        vectors: of sums that one load of each tap gives.
    """

    quads: Quads
    strip: FlatStrip
    vectors: int = 4
    registers: ClassVar[int] = 6  # of an entry: four loads, what is multiplied, and a constant
    loads: ClassVar[int] = 4  # of inputs for an entry
    name: ClassVar[str] = "any four taps of a filter's kernels at a time"
    load_operations: ClassVar[int] = 12  # four loads and eight shuffles

    @property
    def unrolled(self) -> int:
        """See ``CellProducts``: lists begin with nothing in common."""
        return 0

    @property
    def order(self) -> list[int]:
        """Which lane of the ``vectors`` has the sum of each pixel, in the order of pixels."""
        instructions = self.strip.instructions
        lanes = range(instructions.lanes)
        places = {instructions.pixel(j, i): j * len(lanes) + i for j in TAPS for i in lanes}
        return [places[pixel] for pixel in range(len(places))]

    @cached_property
    def constants(self) -> Mapping[str, np.ndarray]:
        """What the code reads besides the strip and the weights.

        It is stored tap by tap: of four neighbours LLVM would compute addresses in a vector.
        """
        area = int(np.prod(self.strip.layer.window.taps))
        channel, tap = np.divmod(self.quads.index.T, area)
        narrow = np.min_scalar_type(self.strip.planes - 1)  # of the unsigned integers
        found: dict[str, np.ndarray] = {"channel": channel.astype(narrow).reshape(-1)}
        if area > 1:
            found["tap"] = tap.astype(np.uint8 if area <= 1 << 8 else np.uint16).reshape(-1)
            places = np.ndindex(*self.strip.layer.window.taps)
            found["place"] = np.array([self.strip.tap(y, x) for y, x in places], np.int32)
        return found

    def with_rows(self, rows: int) -> TapProducts:
        """Returns the same for strips of so many rows of outputs."""
        return replace(self, strip=replace(self.strip, rows=rows))

    def emit(
        self, sums: Sums, strip: Buffer, arrays: Sequence[Buffer], place: EntryPlace, at: Expr
    ) -> None:
        """Emits the products of an entry with the inputs of a tile.

        Args:
            arrays: those of ``constants``.
            place: of the entry.
            at: the first pixel of the tile.
        """
        instructions = self.strip.instructions
        size = instructions.bytes
        code = VectorCode(size, "uint8")
        entries = self.quads.entries
        starts = [self._start(arrays, place.entry + tap * entries) + at for tap in TAPS]
        for i in range(sums.tile):
            held = [code.load(strip, start + i * size) for start in starts]
            sums.add(i, instructions.interleave(sums.hold(held)))

    def _start(self, arrays: Sequence[Buffer], number: Expr) -> Expr:
        start = Cast("int32", arrays[0][number]) * self.strip.channel_bytes
        if len(arrays) == 1:
            return start
        return start + arrays[2][Cast("int32", arrays[1][number])]
