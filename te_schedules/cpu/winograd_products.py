"""The products of transformed inputs and weights: sums over all channels, in registers."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from tvm.tirx import Buffer
from tvm.tirx.script import builder as T

from te_schedules.cpu.vector_code import Expr
from te_schedules.cpu.winograd_binding import WinogradBinding

__all__ = ["multiply", "multiply_and_store"]


def multiply(conv: WinogradBinding, packed: Buffer, sums: Buffer, first: Expr, last: Expr) -> None:
    """Emits the products of some groups, place by place, whose weights pass once for a block.

    Args:
        packed, sums: from ``allocate_packed`` and ``allocate_sums``.
        first, last: the groups of filters.
    """
    code, together = conv.code, conv.schedule.together
    registers = _Registers.allocate(conv)
    with (
        T.serial(conv.products) as p,
        T.serial(conv.schedule.units) as u,
        T.serial(last - first) as i,
    ):
        registers.add(conv, packed, p, u, first + i)
        at = conv.sums_at(p, i, u)
        for f, c in itertools.product(range(conv.kernels.group), range(together)):
            place = at + (f * together + c) * code.lanes
            code.store(sums, code.get(registers.sums[f][c]), place)


def multiply_and_store(
    conv: WinogradBinding, packed: Buffer, n: Expr, unit: Expr, first: Expr, last: Expr
) -> None:
    """Emits the products where sums are results: each tile is one vector, and one product.

    A plane is stored in as long a stretch as the block has.
    """
    together = conv.schedule.together
    registers = _Registers.allocate(conv)
    with T.serial(last - first) as i, T.serial(conv.schedule.units) as u:
        registers.add(conv, packed, 0, u, first + i)
        for f, c in itertools.product(range(conv.kernels.group), range(together)):
            row, column = conv.corner(conv.tile(unit + u, c))
            filter_ = conv.filter(first + i, f)
            conv.store.emit({(0, 0): registers.sums[f][c]}, n, filter_, row, column)


@dataclass(frozen=True)
class _Registers:
    """The sums of a group of filters and some tiles, and what is multiplied for them."""

    sums: Sequence[Sequence[Buffer]]
    inputs: Sequence[Buffer]
    weight: Buffer

    @classmethod
    def allocate(cls, conv: WinogradBinding) -> _Registers:
        code, together = conv.code, conv.schedule.together
        sums = [code.registers(together) for _ in range(conv.kernels.group)]
        return cls(sums, code.registers(together), code.register())

    def add(self, conv: WinogradBinding, packed: Buffer, p: Expr, u: Expr, group: Expr) -> None:
        """Emits the sums over all channels, at one place of the tiles."""
        code = conv.code
        for register in itertools.chain.from_iterable(self.sums):
            code.set(register, code.broadcast(0.0))
        with T.serial(conv.kernels.channels) as channel:
            at = conv.packed_at(p, channel, u)
            for c, register in enumerate(self.inputs):
                code.set(register, code.load(packed, at + c * code.lanes))
            for f, of_filter in enumerate(self.sums):
                code.set(self.weight, code.broadcast(conv.weight[p, group, channel, f]))
                for register, value in zip(of_filter, self.inputs, strict=True):
                    product = code.get(self.weight) * code.get(value)
                    code.set(register, code.get(register) + product)
