"""A convolution by transforms with the buffers of its kernel: what all of its code refers to."""

from __future__ import annotations

from dataclasses import dataclass

from tvm.tirx import Buffer
from tvm.tirx import min as tir_min
from tvm.tirx.script import builder as T

from te_schedules.cpu.conv2d_geometry import Conv2dGeometry
from te_schedules.cpu.odd_lines import odd_lines
from te_schedules.cpu.tile_store import TileStore
from te_schedules.cpu.tiling import Tiling
from te_schedules.cpu.vector_code import Expr, VectorCode
from te_schedules.cpu.winograd_kernels import WinogradKernels
from te_schedules.cpu.winograd_schedule import WinogradSchedule
from te_schedules.cpu.winograd_transform import WinogradTransform

__all__ = ["WinogradBinding"]


@dataclass(frozen=True, kw_only=True)
class WinogradBinding:
    """What stays the same for the whole kernel.

    Attributes:
        y, x: the transforms of the rows and of the columns.
        data: the input (n, channels, plane_values), in the geometry's layout.
        weight: see ``WinogradKernels``.
        store: where tiles go.
    """

    geometry: Conv2dGeometry
    kernels: WinogradKernels
    schedule: WinogradSchedule
    y: WinogradTransform
    x: WinogradTransform
    data: Buffer
    weight: Buffer
    store: TileStore

    @property
    def code(self) -> VectorCode:
        """What emits its vectors."""
        return self.store.code

    @property
    def products(self) -> int:
        """Of a tile, one channel and one filter."""
        return self.y.products * self.x.products

    @property
    def units(self) -> Tiling:
        """The tiles of a plane, by how many are multiplied together."""
        count = self.store.rows.count * self.store.columns.count
        return Tiling(count, self.schedule.together)

    @property
    def blocks(self) -> Tiling:
        """The units of a plane, by how many are transformed at a time."""
        return Tiling(self.units.count, self.schedule.units)

    @property
    def most_groups(self) -> int:
        """The most groups of filters of a chunk."""
        return -(-self.kernels.groups // self.schedule.chunks)

    def groups_of(self, chunk: Expr) -> tuple[Expr, Expr]:
        """Returns the first group of filters of a chunk, and the first of the next."""
        groups, chunks = self.kernels.groups, self.schedule.chunks
        return chunk * groups // chunks, (chunk + 1) * groups // chunks

    def tile(self, unit: Expr, c: Expr) -> Expr:
        """Returns the number in its plane of a unit's c-th tile."""
        return self.units.start(unit) + c

    def corner(self, tile: Expr) -> tuple[Expr, Expr]:
        """Returns the first vector (row, column) of a tile."""
        rows, columns = self.store.rows, self.store.columns
        return rows.start(tile // columns.count), columns.start(tile % columns.count)

    def filter(self, group: Expr, f: Expr) -> Expr:
        """Returns the output channel of the f-th filter of a group."""
        size, filters = self.kernels.group, self.kernels.filters
        return tir_min(group * size, filters - size) + f

    @property
    def unit_values(self) -> int:
        """Values of a vector of each tile of a unit."""
        return self.schedule.together * self.code.lanes

    def packed_at(self, p: Expr, channel: Expr, u: Expr) -> Expr:
        """Returns where the u-th unit's transformed vectors begin, of one place of its tiles."""
        return (u * self.products + p) * self.place_values + channel * self.unit_values

    @property
    def place_values(self) -> int:
        """Values from one place of a unit's tiles to the next, over all channels.

        They are an odd number of lines, so that places do not share the sets of a cache.
        """
        return odd_lines(self.kernels.channels * self.unit_values, 4)

    def sums_at(self, p: Expr, i: Expr, u: Expr) -> Expr:
        """Returns where the sums of the i-th group and the u-th unit begin, of one place."""
        of_group = (i * self.schedule.units + u) * self.products + p
        return of_group * (self.kernels.group * self.unit_values)

    def allocate_packed(self) -> Buffer:
        """Emits the memory of a block's transformed inputs."""
        places = self.schedule.units * self.products
        return T.alloc_buffer((places * self.place_values,), "float32")

    def allocate_sums(self) -> Buffer:
        """Emits the memory of a block's sums, of the filters of a chunk."""
        filters = self.most_groups * self.kernels.group
        vectors = self.schedule.units * self.products * filters
        return T.alloc_buffer((vectors * self.unit_values,), "float32")
