"""Products of words (16 bits) that are added in 32 bits, for each set of instructions.

Bits may be lost in front: sums are wanted modulo 2^32. TVM tells LLVM that additions lose none, of
which nothing that follows here makes use; tests go beyond 2^32.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from tvm.tirx import Broadcast, Buffer, Cast
from tvm.tirx.script import builder as T

from te_schedules.cpu.int8.instruction_sets import instructions_for
from te_schedules.cpu.vector_code import Expr
from tvm_patdnn.machine.cpu_model import CpuModel

__all__ = ["WORD_PRODUCTS", "WordProducts", "plain_words", "words_for"]


@dataclass(frozen=True, kw_only=True)
class WordProducts:
    """What kernels need to know.

    Attributes:
        name: as reports and tests call it.
        lanes: int32 of a vector of sums.
        depth: neighbouring words that are multiplied and added to one sum.
        registers: vectors that a kernel can keep.
        dot: (sums int32, values int16, weights int16) -> sums, of ``depth`` words for each.
        operations: that ``dot`` is, in those of ``Instructions.dot_operations``.
    """

    name: str
    lanes: int
    depth: int
    registers: int
    dot: Callable[[Expr, Expr, Expr], Expr]
    operations: float

    @property
    def words(self) -> int:
        """That ``dot`` takes."""
        return self.lanes * self.depth

    def spread(self, weight: Buffer, at: Expr) -> Expr:
        """Repeats the ``depth`` words, stored as one number, for all sums."""
        repeated = Broadcast(weight[at], self.lanes)
        return repeated if self.depth == 1 else T.reinterpret(f"int16x{self.words}", repeated)

    @property
    def stored(self) -> str:
        """The type of the number that has the ``depth`` words of weights."""
        return f"int{16 * self.depth}"


def _pairs(sums: Expr, values: Expr, weights: Expr) -> Expr:
    return sums + T.call_llvm_pure_intrin("int32x8", "llvm.x86.avx2.pmadd.wd", values, weights)


def _vnni(sums: Expr, values: Expr, weights: Expr, lanes: int) -> Expr:
    name = f"llvm.x86.avx512.vpdpwssd.{32 * lanes}"
    return T.call_llvm_pure_intrin(f"int32x{lanes}", name, sums, values, weights)


def _widened(sums: Expr, values: Expr, weights: Expr, lanes: int) -> Expr:
    dtype = f"int32x{lanes}"
    return sums + Cast(dtype, values) * Cast(dtype, weights)


def plain_words(lanes: int, registers: int) -> WordProducts:
    """Returns products that every processor has: NEON's of 4 lanes are one instruction."""
    return WordProducts(
        name="plain",
        lanes=lanes,
        depth=1,
        registers=registers,
        dot=partial(_widened, lanes=lanes),
        operations=4,
    )


def _set(
    name: str,
    lanes: int,
    registers: int,
    dot: Callable[[Expr, Expr, Expr], Expr],
    depth: int = 2,
    operations: float = 1.0,
) -> WordProducts:
    return WordProducts(
        name=name, lanes=lanes, registers=registers, dot=dot, depth=depth, operations=operations
    )


WORD_PRODUCTS: Mapping[str, WordProducts] = {
    each.name: each
    for each in (
        _set("avx512-vbmi", 16, 32, partial(_vnni, lanes=16)),
        _set("avx512-vnni", 16, 32, partial(_vnni, lanes=16)),
        _set("avx-vnni", 8, 16, partial(_vnni, lanes=8)),
        _set("avx2", 8, 16, _pairs, operations=2),
        # a long product is for one pipe of two, where sums and dot products are for both
        *(
            _set(name, 4, 32, partial(_widened, lanes=4), depth=1, operations=operations)
            for name, operations in (("i8mm", 2.0), ("dotprod", 2.0), ("neon", 1.5))
        ),
    )
}


def words_for(cpu: CpuModel) -> WordProducts:
    """Returns the products that ``cpu`` has."""
    bytes_ = instructions_for(cpu)
    return WORD_PRODUCTS.get(bytes_.name) or plain_words(bytes_.lanes, bytes_.registers)
