"""Transposes a square of vectors in registers."""

from __future__ import annotations

from collections.abc import Sequence

from tvm.tirx import Buffer

from te_schedules.cpu.vector_code import Expr, VectorCode, shuffled

__all__ = ["emit_transposed"]


def emit_transposed(code: VectorCode, rows: Sequence[Buffer]) -> list[Buffer]:
    """Emits the transposition of as many registers as a vector has lanes, and returns its rows.

    Halves of squares change places: of the whole square, of its quarters, and so on. Each step
    takes one or two instructions for a vector on x86 and ARM.
    """
    rows, distance = list(rows), code.lanes // 2
    while distance:
        for i in (i for i in range(code.lanes) if not i & distance):
            pair = code.get(rows[i]), code.get(rows[i + distance])
            rows[i], rows[i + distance] = _exchanged(code, pair, distance)
        distance //= 2
    return rows


def _exchanged(code: VectorCode, pair: tuple[Expr, Expr], distance: int) -> tuple[Buffer, Buffer]:
    """Emits two vectors, of which each lane of the first that counts ``distance`` is exchanged."""
    low = [
        lane if not lane & distance else lane - distance + code.lanes for lane in range(code.lanes)
    ]
    first, second = code.registers(2)
    code.set(first, shuffled(pair, low))
    code.set(second, shuffled(pair, [lane + distance for lane in low]))
    return first, second
