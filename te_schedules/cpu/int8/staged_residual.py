"""The bytes of a residual, where results will be staged, as the numbers that are added to sums."""

from __future__ import annotations

from collections.abc import Sequence

from tvm.tirx import Cast

from te_schedules.cpu.int8.byte_runs import Place, load_bytes
from te_schedules.cpu.vector_code import Expr, shuffled

__all__ = ["staged_residual"]


def staged_residual(place: Place, order: Sequence[int], lanes: int) -> list[Expr]:
    """Loads the residual's bytes as int32, in the order of the sums.

    Args:
        order: byte i is for lane ``order[i]`` of all vectors of sums.
        lanes: of a vector.
    """
    loaded = load_bytes(place, len(order))
    pixel_of = {lane: pixel for pixel, lane in enumerate(order)}
    return [
        Cast(f"int32x{lanes}", shuffled([loaded], [pixel_of[first + i] for i in range(lanes)]))
        for first in range(0, len(order), lanes)
    ]
