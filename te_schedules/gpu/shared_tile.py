"""Where the inputs of a tile lie in shared memory."""

from __future__ import annotations

from dataclasses import dataclass

from te_schedules.gpu.conv2d_schedule import GpuSchedule
from te_schedules.tir_function import Expr
from te_schedules.window import Window

__all__ = ["SharedTile"]

BANKS = 32  # of 4 bytes, one access each at a time


@dataclass(frozen=True, kw_only=True)
class SharedTile:
    """Inputs of one channel: rows x (phases of the stride x columns).

    With stride 2 even and odd columns lie apart, so that neighbouring lanes read neighbours.
    Where lanes lie below each other, each strip of rows is moved by ``skew`` floats, so that all
    lanes read from different banks.

    Attributes:
        size: rows and columns of the plane that the tile's outputs read.
        pitch: floats from a row to the next.
        strip: rows from a strip of lanes to the next.
        channel: floats from a channel to the next.
    """

    size: tuple[int, int]
    phases: int
    pitch: int
    strip: int
    skew: int
    channel: int

    @classmethod
    def of(cls, window: Window, schedule: GpuSchedule) -> SharedTile:
        """Returns what a schedule needs; distances are multiples of its columns."""
        rows, columns = (
            (tile - 1) * step + (taps - 1) * gap + 1
            for tile, step, taps, gap in zip(
                schedule.tile, window.stride, window.taps, window.dilation, strict=True
            )
        )
        phases, strip = window.stride[1], schedule.rows * window.stride[0]
        unit = max(phases, schedule.columns)
        pitch = -(-columns // unit) * unit
        skew = 0
        if schedule.strips > 1:
            skew = (schedule.lanes_x * schedule.columns - strip * pitch) % BANKS
        channel = rows * pitch + (rows - 1) // strip * skew
        return cls(
            size=(rows, columns),
            phases=phases,
            pitch=pitch,
            strip=strip,
            skew=skew,
            channel=-(-channel // unit) * unit,
        )

    def row(self, y: Expr) -> Expr:
        """Returns where row y of the tile begins."""
        return y * self.pitch + (y // self.strip * self.skew if self.skew else 0)

    def column(self, x: Expr) -> Expr:
        """Returns where input column x of the tile lies in a row."""
        if self.phases == 1:
            return x
        return x % self.phases * (self.pitch // self.phases) + x // self.phases

    def lane(self, strip: Expr, x: Expr) -> Expr:
        """Returns where the inputs of a lane begin: of column x of its strip, in a channel."""
        return strip * (self.strip * self.pitch + self.skew) + x
