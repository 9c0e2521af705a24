"""Copies bytes: runs of a fixed length, in vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tvm.tirx import Broadcast, Buffer, Ramp, const
from tvm.tirx.script import builder as T

from te_schedules.cpu.vector_code import Expr, shuffled

__all__ = [
    "Place",
    "copy_run",
    "fill_run",
    "in_pieces",
    "interleave_run",
    "load_bytes",
    "store_bytes",
]

Place = tuple[Buffer, Expr]  # a buffer, and which of its bytes

PIXELS = 16  # that are interleaved at a time: a small vector of each channel


def load_bytes(place: Place, size: int, stride: int = 1) -> Expr:
    """Reads ``size`` bytes, ``stride`` apart; with a stride of 2, one byte more is touched."""
    buffer, at = place
    if size == 1:
        return buffer[at]
    if stride == 2:
        return shuffled([buffer[Ramp(at, 1, 2 * size)]], range(0, 2 * size, 2))
    return buffer[Ramp(at, stride, size)]


def store_bytes(place: Place, value: Expr, size: int) -> None:
    """Writes ``size`` bytes."""
    buffer, at = place
    T.buffer_store(buffer, value, [Ramp(at, 1, size) if size > 1 else at])


def copy_run(
    target: Place, source: Place, length: int, size: int, stride: int = 1, flip: int = 0
) -> None:
    """Copies ``length`` bytes.

    Args:
        size: bytes of a vector.
        stride: of the bytes of the source.
        flip: bits that are flipped in each byte.
    """

    def emit(at: Expr, count: int) -> None:
        value = load_bytes(_behind(source, at * stride), count, stride)
        store_bytes(_behind(target, at), _flipped(value, count, flip), count)

    in_pieces(length, size, emit)


def interleave_run(
    target: Place, sources: Sequence[Place], length: int, stride: int = 1, flip: int = 0
) -> None:
    """Copies ``length`` bytes of each source, those of one number beside each other.

    Args:
        stride, flip: as of ``copy_run``.
    """
    each = len(sources)

    def emit(at: Expr, count: int) -> None:
        rows = [load_bytes(_behind(source, at * stride), count, stride) for source in sources]
        value = shuffled(rows, [i * count + p for p in range(count) for i in range(each)])
        store_bytes(_behind(target, at * each), _flipped(value, each * count, flip), each * count)

    in_pieces(length, PIXELS, emit)


def fill_run(target: Place, length: int, size: int, value: int) -> None:
    """Stores ``value`` to ``length`` bytes, in vectors of ``size``."""
    in_pieces(
        length,
        size,
        lambda at, count: store_bytes(_behind(target, at), _repeated(value, count), count),
    )


def in_pieces(length: int, size: int, emit: Callable[[Expr, int], None]) -> None:
    """Emits code for exactly ``length`` values, at most ``size`` at a time; some come twice.

    Args:
        size: a power of 2.
        emit: given where a piece begins and how long it is.
    """
    if length >= size:
        with T.serial(length // size) as i:
            emit(i * size, size)
        if length % size:
            emit(length - size, size)
    elif length:
        half = 1 << (length.bit_length() - 1)
        for at in sorted({0, length - half}):
            emit(at, half)


def _flipped(value: Expr, size: int, bits: int) -> Expr:
    return value ^ _repeated(bits, size) if bits else value


def _repeated(value: int, size: int) -> Expr:
    scalar = const(value, "uint8")
    return scalar if size == 1 else Broadcast(scalar, size)


def _behind(place: Place, by: Expr) -> Place:
    return place[0], place[1] + by
