"""Products of cells: four bytes that were put together when they were copied.

A cell is a tap of four neighbouring channels, or four neighbouring taps of a row of a kernel. That
serves what was not pruned, or in whole blocks of channels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
from tvm.tirx import Buffer, Cast, Select

from te_schedules.cpu.int8.column_strip import ColumnStrip
from te_schedules.cpu.int8.flat_strip import CELL, FlatStrip
from te_schedules.cpu.int8.sums import EntryPlace, Sums
from te_schedules.cpu.vector_code import Expr, VectorCode
from tvm_patdnn.sparse.quads import Quads

__all__ = ["CellProducts"]

UNROLLED = 8  # entries, at most: of depthwise layers, and of 1x1 layers of a few channels


@dataclass(frozen=True, kw_only=True, eq=False)
class CellProducts:
    """Multiplies entries that ``pack_cells`` made.

    Attributes:
        strip: with cells, of channels or columns.
    """

    quads: Quads
    strip: FlatStrip | ColumnStrip
    loads: ClassVar[int] = 1
    vectors: ClassVar[int] = 1
    load_operations: ClassVar[float] = 1.0  # that crosses lines

    @property
    def name(self) -> str:
        """What it does, for people."""
        of = "columns" if isinstance(self.strip, ColumnStrip) else "channels"
        coupled = ", widened in couples" if self.quads.coupled is not None else ""
        return f"four {of} at a time{coupled}"

    @property
    def registers(self) -> int:
        """That an entry needs besides its weights and sums."""
        return 2 if self.quads.coupled is None else 4 + self.quads.group

    @property
    def order(self) -> list[int]:
        """See ``TapProducts``."""
        return list(range(self.strip.instructions.lanes))

    @cached_property
    def constants(self) -> Mapping[str, np.ndarray]:
        """What the code reads besides the strip and the weights.

        That is where the inputs of an entry begin: of those that all lists begin with, then of
        the others, group by group.
        """
        cell, tap = self.quads.index.T
        taps = [self.strip.start_of(each) for each in range(tap.max() + 1)]
        start = cell * self.strip.channel_bytes + np.array(taps)[tap]
        offset, common = self.quads.offset, self._common
        rank = np.arange(len(start)) - np.repeat(offset[:-1], np.diff(offset))
        stored = np.concatenate([start[offset[0] : offset[0] + common], start[rank >= common]])
        return {"start": stored.astype(np.min_scalar_type(stored.max()))}

    def with_rows(self, rows: int) -> CellProducts:
        """Returns the same for strips of so many rows of outputs."""
        return replace(self, strip=replace(self.strip, rows=rows))

    def emit(
        self, sums: Sums, strip: Buffer, arrays: Sequence[Buffer], place: EntryPlace, at: Expr
    ) -> None:
        """See ``TapProducts``."""
        size = self.strip.instructions.bytes
        code = VectorCode(size, "uint8")
        start = self._start(arrays, place) + at * CELL
        for i in range(sums.tile):
            sums.add(i, [code.load(strip, start + i * size)])

    def emit_couple(
        self, sums: Sums, strip: Buffer, arrays: Sequence[Buffer], place: EntryPlace, at: Expr
    ) -> None:
        """Emits the products of an entry and of the next one, with which it is coupled."""
        size = self.strip.instructions.bytes
        code = VectorCode(size, "uint8")
        places = (place, EntryPlace(place.entry + 1, place.rank + 1, place.group))
        starts = [self._start(arrays, each) + at * CELL for each in places]
        for i in range(sums.tile):
            one, other = (code.load(strip, start + i * size) for start in starts)
            sums.add_couple(i, [one], [other])

    def _start(self, arrays: Sequence[Buffer], place: EntryPlace) -> Expr:
        if isinstance(place.rank, int) and place.rank < self._common:
            return int(self.constants["start"][place.rank])
        number = place.entry - self._common * place.group
        if self._common:
            number = Select(place.rank < self._common, place.rank, number)
        return Cast("int32", arrays[0][number])

    @property
    def unrolled(self) -> int:
        """Entries that all lists begin with, if they are so few that their code is repeated."""
        few = self.quads.coupled is None and self._common <= UNROLLED
        return self._common if few else 0

    @cached_property
    def _common(self) -> int:
        """How many entries the lists of all groups of filters begin with."""
        starts, most = self.quads.offset[:-1], int(np.diff(self.quads.offset).min())
        lists = self.quads.index[starts[:, None] + np.arange(most)]
        same = (lists == lists[0]).all(axis=(0, 2))
        return int(np.argmin(same)) if not same.all() else most
