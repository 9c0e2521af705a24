"""What a thread holds of a tile: the sums of its outputs, and what is multiplied for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tvm.tirx import Buffer
from tvm.tirx.script import builder as T

from te_schedules.cpu.tile_reads import Place
from te_schedules.cpu.vector_code import Expr, VectorCode

__all__ = ["Tile"]


@dataclass(frozen=True, kw_only=True)
class Tile:
    """The registers of a tile of outputs of a group of filters.

    Attributes:
        sums: for each filter of the group, a register for each place of the tile.
        weights, inputs: registers for what is multiplied.
        copied: how many of its input vectors are copied next to each other.
        memory: for what is copied, and behind it for the sums of all groups between two bands
            of channels; None where there is neither.
    """

    code: VectorCode
    sums: Sequence[Mapping[Place, Buffer]]
    weights: Sequence[Buffer]
    inputs: Sequence[Buffer]
    copied: int = 0
    memory: Buffer | None = None

    @classmethod
    def allocate(
        cls,
        code: VectorCode,
        places: Sequence[Place],
        *,
        group: int,
        weights: int,
        inputs: int,
        waiting_groups: int = 0,
        copied: int = 0,
    ) -> Tile:
        """Emits the allocations.

        Args:
            places: of the tile's outputs.
            group: filters of a group.
            weights, inputs: how many registers of each.
            waiting_groups: whose sums wait in memory between bands.
            copied: how many input vectors are copied next to each other.
        """
        sums = [dict(zip(places, code.registers(len(places)), strict=True)) for _ in range(group)]
        vectors = copied + waiting_groups * group * len(places)
        memory = T.alloc_buffer((vectors * code.lanes,), "float32") if vectors else None
        return cls(
            code=code,
            sums=sums,
            weights=code.registers(weights),
            inputs=code.registers(inputs),
            copied=copied,
            memory=memory,
        )

    @property
    def places(self) -> list[Place]:
        """The places of its outputs."""
        return list(self.sums[0])

    def part(self, places: Iterable[Place]) -> Tile:
        """Returns the part of the tile at these places: the same registers, fewer sums."""
        kept = tuple(places)
        return replace(self, sums=[{place: sums[place] for place in kept} for sums in self.sums])

    def clear_sums(self) -> None:
        """Sets the sums to zero."""
        for register in self._registers():
            self.code.set(register, self.code.broadcast(0.0))

    def multiply_add(self, f: int, place: Place, weight: Buffer, value: Buffer) -> None:
        """Adds the product of two registers to the f-th filter's sum at a place."""
        register = self.sums[f][place]
        product = self.code.get(weight) * self.code.get(value)
        self.code.set(register, self.code.get(register) + product)

    def load_sums(self, i: Expr) -> None:
        """Takes up the sums that ``save_sums`` of the i-th group left."""
        for s, register in enumerate(self._registers()):
            self.code.set(register, self.code.load(self.memory, self._saved_at(i, s)))

    def save_sums(self, i: Expr) -> None:
        """Leaves the sums of the i-th group in memory."""
        for s, register in enumerate(self._registers()):
            self.code.store(self.memory, self.code.get(register), self._saved_at(i, s))

    def _registers(self) -> list[Buffer]:
        return [register for of_filter in self.sums for register in of_filter.values()]

    def _saved_at(self, i: Expr, s: int) -> Expr:
        return (self.copied + i * len(self._registers()) + s) * self.code.lanes
