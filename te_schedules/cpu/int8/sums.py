"""The sums of a tile of outputs, for a group of filters, in registers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from tvm.tirx import Buffer

from te_schedules.cpu.int8.instructions import Instructions
from te_schedules.cpu.vector_code import Expr, VectorCode

__all__ = ["EntryPlace", "Sums"]


class EntryPlace(NamedTuple):
    """Where an entry of weights is: among all, and in the list of which group of filters."""

    entry: Expr
    rank: Expr
    group: Expr


@dataclass(frozen=True, kw_only=True, eq=False)
class Sums:
    """Registers, which are allocated where they are first asked for.

    Attributes:
        group: filters.
        tile: loads of inputs that the sums of one filter are for.
        vectors: of sums for each load.
        coupled: whether there are entries that are coupled.
    """

    instructions: Instructions
    group: int
    tile: int
    vectors: int
    coupled: bool = False

    def allocate(self) -> None:
        """Emits the allocation of all registers."""
        for registers in (
            self._sums,
            self._weights,
            self._bytes,
            self._taps,
            self._couple,
            self._patch,
            self._factors,
        ):
            assert registers is not None

    def start(self, bias: Buffer, first: Expr) -> None:
        """Sets the sums of each filter from ``first`` on to its bias."""
        for f in range(self.group):
            for register in self._of(f):
                self._code.set(register, self._code.broadcast(bias[first + f]))

    def load_weights(self, weight: Buffer, entry: Expr, couple: int = 0) -> None:
        """Loads the weights of an entry.

        Args:
            couple: which of the two that are coupled it is.
        """
        code = VectorCode(self.instructions.bytes, "int8")
        for f, register in enumerate(self._weights[couple]):
            code.set(register, self.instructions.spread(weight[entry * self.group + f]))

    def hold(self, values: Sequence[Expr]) -> list[Expr]:
        """Loads vectors of bytes, at most four, and returns them as they are in registers."""
        code = VectorCode(self.instructions.bytes, "uint8")
        registers = self._bytes[: len(values)]
        for register, value in zip(registers, values, strict=True):
            code.set(register, value)
        return [code.get(register) for register in registers]

    def held(self, value: Expr) -> Expr:
        """Loads one vector of bytes, besides those of ``hold``."""
        code = VectorCode(self.instructions.bytes, "uint8")
        code.set(self._patch, value)
        return code.get(self._patch)

    def add(self, load: int, values: Sequence[Expr]) -> None:
        """Adds the products of a load's ``vectors`` with the weights."""
        code = VectorCode(self.instructions.bytes, "uint8")
        weights = VectorCode(self.instructions.bytes, "int8")
        for v, value in enumerate(values):
            code.set(self._taps, value)
            for f in range(self.group):
                total = self._of(f)[load * self.vectors + v]
                products = self.instructions.dot(
                    self._code.get(total), code.get(self._taps), weights.get(self._weights[0][f])
                )
                self._code.set(total, products)

    def add_couple(self, load: int, one: Sequence[Expr], other: Sequence[Expr]) -> None:
        """Adds the products of a load of two entries that are coupled."""
        code, weights = (VectorCode(self.instructions.bytes, dtype) for dtype in ("uint8", "int8"))
        couple_dot = self.instructions.couple_dot
        assert couple_dot is not None, "without it nothing is coupled"
        for v, values in enumerate(zip(one, other, strict=True)):
            for register, value in zip(self._couple, values, strict=True):
                code.set(register, value)
            first, second = (code.get(register) for register in self._couple)
            for f in range(self.group):
                total = self._of(f)[load * self.vectors + v]
                own = [weights.get(each[f]) for each in self._weights]
                products = couple_dot(self._code.get(total), first, own[0], second, own[1])
                self._code.set(total, products)

    def take(self, filter_: int, load: int) -> list[Expr]:
        """Returns the sums of a filter for a load."""
        registers = self._of(filter_)[load * self.vectors : (load + 1) * self.vectors]
        return [self._code.get(register) for register in registers]

    def factor(self, scale: Buffer, at: Expr) -> Expr:
        """Loads the scale of a filter."""
        code = VectorCode(self.instructions.lanes)
        code.set(self._factors, code.broadcast(scale[at]))
        return code.get(self._factors)

    def _of(self, filter_: int) -> list[Buffer]:
        each = self.tile * self.vectors
        return self._sums[filter_ * each : (filter_ + 1) * each]

    @property
    def _code(self) -> VectorCode:
        return VectorCode(self.instructions.lanes, "int32")

    @cached_property
    def _sums(self) -> list[Buffer]:
        return self._code.registers(self.group * self.tile * self.vectors)

    @cached_property
    def _weights(self) -> list[list[Buffer]]:
        """Those of an entry, and of the one that it is coupled with."""
        code = VectorCode(self.instructions.bytes, "int8")
        return [code.registers(self.group) for _ in range(2 if self.coupled else 1)]

    @cached_property
    def _bytes(self) -> list[Buffer]:
        return VectorCode(self.instructions.bytes, "uint8").registers(4)

    @cached_property
    def _taps(self) -> Buffer:
        return VectorCode(self.instructions.bytes, "uint8").register()

    @cached_property
    def _couple(self) -> list[Buffer]:
        return VectorCode(self.instructions.bytes, "uint8").registers(2 if self.coupled else 0)

    @cached_property
    def _patch(self) -> Buffer:
        return VectorCode(self.instructions.bytes, "uint8").register()

    @cached_property
    def _factors(self) -> Buffer:
        return VectorCode(self.instructions.lanes).register()
