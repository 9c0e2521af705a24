"""Where a kernel reads a tile's inputs: in their planes, or copied next to each other.

What a tile reads of a channel is a few short rows, at the same distance in every plane: they
begin and end within lines of the cache, and fall into the same few of its sets. Copied, as many
channels as the nearest cache holds really stay in it while the filters go by.
"""

from __future__ import annotations

from tvm.tirx import min as tir_min
from tvm.tirx.script import builder as T

from te_schedules.cpu.conv2d_bands import band_of
from te_schedules.cpu.conv2d_binding import Conv2dBinding, Corner
from te_schedules.cpu.conv2d_lists import ListedKernel
from te_schedules.cpu.conv2d_tile import Tile
from te_schedules.cpu.tile_reads import Place
from te_schedules.cpu.vector_code import Expr

__all__ = ["copy_inputs", "load_input"]


def copy_inputs(conv: Conv2dBinding, tile: Tile, chunk: Expr, done: Expr, corner: Corner) -> None:
    """Copies what a tile reads of the band that comes next, where the schedule says so."""
    if not tile.copied:
        return
    channels = conv.geometry.in_channels
    band = conv.schedule.band or channels
    first, origin = band_of(conv, chunk, done) * band, conv.origin(corner)
    with T.serial(tir_min(band, channels - first)) as c:
        for i, place in enumerate(conv.read_places):
            value = conv.code.load(conv.data, corner.n, first + c, origin + conv.distance(place))
            at = c * conv.inputs.distance + i * conv.code.lanes
            conv.code.store(tile.memory, value, at)


def load_input(
    conv: Conv2dBinding, tile: Tile, corner: Corner, kernel: ListedKernel, place: Place
) -> Expr:
    """Returns the input vector at a place of the tile, of the channel that a kernel reads."""
    if not tile.copied:
        at = conv.origin(corner) + conv.distance(place)
        return conv.code.load(conv.data, corner.n, 0, kernel.inputs + at)
    i = conv.read_places.index(place)
    return conv.code.load(tile.memory, kernel.inputs + i * conv.code.lanes)
