"""Windows of channels: a tile's sums wait in memory while other filters use a window's inputs."""

from __future__ import annotations

from dataclasses import dataclass

from tvm.tirx.script import builder as T

from te_schedules.cpu.conv2d_binding import Conv2dBinding, Corner
from te_schedules.cpu.conv2d_tile import Tile
from te_schedules.cpu.vector_code import Expr, when

__all__ = ["Turn", "begin_sums", "end_sums", "prefetch_outputs", "prefetch_window", "window_of"]


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What a thread is at.

    Attributes:
        chunk: the range of groups that it computes.
        done: how many windows it has done.
        i: the group of filters, of those of the chunk.
        g: the group of filters, of all.
    """

    chunk: Expr
    done: Expr
    i: Expr
    g: Expr


def window_of(conv: Conv2dBinding, chunk: Expr, done: Expr) -> Expr:
    """Returns the window that a chunk takes after ``done`` others.

    Each chunk begins with its own share of the channels: the thread that computes it has, as a
    rule, computed the same share of the input's channels and has them in its caches.
    """
    windows, chunks = conv.fkw.windows, conv.schedule.chunks
    if windows == 1 or chunks == 1:
        return done
    return (done + chunk * windows // chunks) % windows


def begin_sums(conv: Conv2dBinding, tile: Tile, turn: Turn) -> None:
    """Sets the sums to zero, or to what earlier windows gave."""
    if conv.fkw.windows == 1:
        tile.clear_sums()
        return
    with T.If(turn.done == 0):
        with T.Then():
            tile.clear_sums()
        with T.Else():
            tile.load_sums(turn.i)


def end_sums(conv: Conv2dBinding, tile: Tile, turn: Turn, corner: Corner) -> None:
    """Stores the sums: to the output after the last window, else for the next one."""
    if conv.fkw.windows == 1:
        _store(conv, tile, turn, corner)
        return
    with T.If(turn.done == conv.fkw.windows - 1):
        with T.Then():
            _store(conv, tile, turn, corner)
        with T.Else():
            tile.save_sums(turn.i)


def prefetch_outputs(conv: Conv2dBinding, tile: Tile, turn: Turn, corner: Corner) -> None:
    """Begins to fetch what the last window's sums will be stored to."""
    last = [turn.done == conv.fkw.windows - 1] if conv.fkw.windows > 1 else []
    with when(*last):
        for f in range(conv.fkw.group):
            channel = conv.filter(turn.g, f)
            conv.store.prefetch(tile.places, corner.n, channel, corner.row, corner.column)


def prefetch_window(conv: Conv2dBinding, tile: Tile, turn: Turn, corner: Corner) -> None:
    """Begins to fetch the next window's inputs, of which each filter takes a part.

    Others' shares of them come from other cores' caches, which takes long.
    """
    window = conv.schedule.window
    if conv.fkw.windows == 1 or window is None:
        return
    reads = sorted({place for pattern in conv.fkw.patterns for place in conv.reads(pattern, tile)})
    origin = conv.origin(corner)
    part = -(-window // max(1, conv.fkw.groups // conv.schedule.chunks))
    with T.serial(part) as k:
        of_window = turn.i * part + k
        channel = window_of(conv, turn.chunk, turn.done + 1) * window + of_window
        exists = (of_window < window, channel < conv.geometry.in_channels)
        with when(turn.done + 1 < conv.fkw.windows, *exists):
            for place in reads:
                at = origin + conv.distance(place)
                conv.code.prefetch(conv.data, corner.n, channel, at, near=False)


def _store(conv: Conv2dBinding, tile: Tile, turn: Turn, corner: Corner) -> None:
    for f, sums in enumerate(tile.sums):
        channel = conv.filter(turn.g, f)
        conv.store.emit(sums, corner.n, channel, corner.row, corner.column)
