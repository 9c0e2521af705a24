"""Bands of channels: a tile's sums wait in memory while other filters use a band's inputs."""

from __future__ import annotations

from dataclasses import dataclass

from tvm.tirx.script import builder as T

from te_schedules.cpu.conv2d_binding import Conv2dBinding, Corner
from te_schedules.cpu.conv2d_tile import Tile
from te_schedules.cpu.vector_code import Expr, when

__all__ = ["Turn", "band_of", "begin_sums", "end_sums", "prefetch_band", "prefetch_outputs"]


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What a thread is at.

    Attributes:
        chunk: the range of groups that it computes.
        done: how many bands it has done.
        i: the group of filters, of those of the chunk.
        g: the group of filters, of all.
    """

    chunk: Expr
    done: Expr
    i: Expr
    g: Expr


def band_of(conv: Conv2dBinding, chunk: Expr, done: Expr) -> Expr:
    """Returns the band that a chunk takes after ``done`` others.

    Each chunk begins with its own share of the channels: the thread that computes it has, as a
    rule, computed the same share of the input's channels and has them in its caches.
    """
    bands, chunks = conv.fkw.bands, conv.schedule.chunks
    if bands == 1 or chunks == 1:
        return done
    return (done + chunk * bands // chunks) % bands


def begin_sums(conv: Conv2dBinding, tile: Tile, turn: Turn) -> None:
    """Sets the sums to zero, or to what earlier bands gave."""
    if conv.fkw.bands == 1:
        tile.clear_sums()
        return
    with T.If(turn.done == 0):
        with T.Then():
            tile.clear_sums()
        with T.Else():
            tile.load_sums(turn.i)


def end_sums(conv: Conv2dBinding, tile: Tile, turn: Turn, corner: Corner) -> None:
    """Stores the sums: to the output after the last band, else for the next one."""
    if conv.fkw.bands == 1:
        _store(conv, tile, turn, corner)
        return
    with T.If(turn.done == conv.fkw.bands - 1):
        with T.Then():
            _store(conv, tile, turn, corner)
        with T.Else():
            tile.save_sums(turn.i)


def prefetch_outputs(conv: Conv2dBinding, tile: Tile, turn: Turn, corner: Corner) -> None:
    """Begins to fetch what the last band's sums will be stored to."""
    last = [turn.done == conv.fkw.bands - 1] if conv.fkw.bands > 1 else []
    with when(*last):
        for f in range(conv.fkw.group):
            channel = conv.filter(turn.g, f)
            conv.store.prefetch(tile.places, corner.n, channel, corner.row, corner.column)


def prefetch_band(conv: Conv2dBinding, turn: Turn, corner: Corner) -> None:
    """Begins to fetch the next band's inputs, of which each filter takes a part.

    Others' shares of them come from other cores' caches, which takes long.
    """
    band = conv.schedule.band
    if conv.fkw.bands == 1 or band is None:
        return
    origin = conv.origin(corner)
    part = -(-band // max(1, conv.fkw.groups // conv.schedule.chunks))
    with T.serial(part) as k:
        of_band = turn.i * part + k
        channel = band_of(conv, turn.chunk, turn.done + 1) * band + of_band
        exists = (of_band < band, channel < conv.geometry.in_channels)
        with when(turn.done + 1 < conv.fkw.bands, *exists):
            for place in conv.read_places:
                at = origin + conv.distance(place)
                conv.code.prefetch(conv.data, corner.n, channel, at, near=False)


def _store(conv: Conv2dBinding, tile: Tile, turn: Turn, corner: Corner) -> None:
    for f, sums in enumerate(tile.sums):
        channel = conv.filter(turn.g, f)
        conv.store.emit(sums, corner.n, channel, corner.row, corner.column)
