"""Where the input channel of each stored kernel begins.

An address is computed from it for every kernel. A number of the channel has to be multiplied by
the distance of two channels; a number of pairs of values need not be, as x86 multiplies an index
by eight within an address. So it is stored in the smallest unit in which two bytes hold it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from tvm import tirx

from te_schedules.cpu.conv2d_geometry import Conv2dGeometry
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule
from te_schedules.cpu.tile_reads import Place, tile_reads
from te_schedules.cpu.vector_code import Expr
from tvm_patdnn.sparse.patterns import Pattern

__all__ = ["InputPlaces", "read_places"]

PAIR = 2  # values: eight bytes
MOST = int(np.iinfo(np.uint16).max)


@dataclass(frozen=True, kw_only=True)
class InputPlaces:
    """How the places of channels are stored: of an image's planes, or of a tile's copies.

    Attributes:
        channels: that lie there.
        distance: from one to the next, in values.
        lanes: values of a vector, of which ``distance`` is a multiple.
    """

    channels: int
    distance: int
    lanes: int

    @classmethod
    def of(
        cls, geometry: Conv2dGeometry, patterns: Sequence[Pattern], schedule: Conv2dSchedule
    ) -> InputPlaces:
        """Returns that of a kernel's inputs."""
        layout, channels = geometry.in_layout, geometry.in_channels
        if not schedule.copy_inputs:
            return cls(channels=channels, distance=layout.plane_values, lanes=layout.lanes)
        of_channel = len(read_places(geometry, patterns, schedule))
        return cls(
            channels=min(channels, schedule.band or channels),
            distance=of_channel * layout.lanes,
            lanes=layout.lanes,
        )

    @property
    def unit(self) -> int:
        """Values that a stored number counts."""
        last = (self.channels - 1) * self.distance
        units = (unit for unit in (PAIR, self.lanes) if last // unit <= MOST)
        return next(units, self.distance)

    def numbers(self, index: np.ndarray) -> np.ndarray:
        """Returns what is stored of the channels ``index``: (kernels,) uint16 or int32."""
        kind = np.uint16 if (self.channels - 1) * self.distance // self.unit <= MOST else np.int32
        among_these = index.astype(np.int64) % self.channels
        return (among_these * (self.distance // self.unit)).astype(kind)

    def first_value(self, number: Expr) -> Expr:
        """Returns where a channel begins, in values, as an int64 index."""
        return tirx.Cast("int64", number) * self.unit


def read_places(
    geometry: Conv2dGeometry, patterns: Sequence[Pattern], schedule: Conv2dSchedule
) -> list[Place]:
    """Returns the input vectors that a whole tile reads of a channel, whatever its pattern."""
    places = list(itertools.product(range(schedule.rows), range(schedule.vectors)))
    of_tile = (places, geometry.stride, geometry.dilation)
    return sorted({place for each in patterns for place in tile_reads(each, *of_tile)})
