"""A convolution with the buffers of its kernel: what all of the kernel's code refers to."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from tvm import tirx
from tvm.tirx import Buffer

from te_schedules.cpu.conv2d_geometry import Conv2dGeometry
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule
from te_schedules.cpu.conv2d_tile import Tile
from te_schedules.cpu.input_places import InputPlaces, read_places
from te_schedules.cpu.tile_reads import Place, Reads, tile_reads
from te_schedules.cpu.tile_store import TileStore
from te_schedules.cpu.vector_code import Expr, VectorCode
from tvm_patdnn.sparse.packed_kernels import PackedKernels
from tvm_patdnn.sparse.patterns import Pattern

__all__ = ["Conv2dBinding", "Corner", "Products"]


@dataclass(frozen=True, kw_only=True)
class Corner:
    """The first output vector of a tile: its image, row and column."""

    n: Expr
    row: Expr
    column: Expr


class Products(Protocol):
    """How the kernels of a group of filters are multiplied with the inputs of a tile."""

    @property
    def taps(self) -> str:
        """How a kernel knows its pattern's taps, for the report."""

    def check(self, fkw: PackedKernels, schedule: Conv2dSchedule) -> None:
        """Checks that kernels stored like this can be computed with a schedule.

        Raises:
            ValueError: they cannot.
        """

    def constants(self, geometry: Conv2dGeometry, fkw: PackedKernels) -> dict[str, np.ndarray]:
        """Returns what the code reads besides the arrays of every convolution, by name."""

    def loads(
        self, geometry: Conv2dGeometry, fkw: PackedKernels, p: int, places: Sequence[Place]
    ) -> int:
        """Returns how many input vectors a kernel of the p-th pattern loads for these outputs.

        Args:
            places: of a tile, or of a part of it.
        """

    def registers(self, conv: Conv2dBinding) -> tuple[int, int]:
        """Returns how many registers of weights and of inputs the code needs."""

    def add_group(self, conv: Conv2dBinding, tile: Tile, corner: Corner, slot: Expr) -> None:
        """Emits the products of the kernels in a slot of ``conv.fkw``, added to the sums."""


@dataclass(frozen=True, kw_only=True)
class Conv2dBinding:
    """What stays the same for the whole kernel.

    Attributes:
        data: the input (n, channels, plane_values), in the geometry's layout.
        stored: the buffers of the kernel's constants, by name.
        store: where tiles go.
        products: the innermost code.
    """

    geometry: Conv2dGeometry
    fkw: PackedKernels
    schedule: Conv2dSchedule
    data: Buffer
    stored: Mapping[str, Buffer]
    store: TileStore
    products: Products

    @property
    def code(self) -> VectorCode:
        """What emits its vectors."""
        return self.store.code

    @property
    def places(self) -> list[Place]:
        """The output vectors of a whole tile."""
        return list(itertools.product(range(self.schedule.rows), range(self.schedule.vectors)))

    @cached_property
    def read_places(self) -> list[Place]:
        """See ``input_places.read_places``."""
        return read_places(self.geometry, self.fkw.patterns, self.schedule)

    @cached_property
    def inputs(self) -> InputPlaces:
        """Where channels begin."""
        return InputPlaces.of(self.geometry, self.fkw.patterns, self.schedule)

    def allocate(self) -> Tile:
        """Emits the registers of a tile, and memory for the sums between bands."""
        waiting = 0
        if self.fkw.bands > 1:
            waiting = int(np.diff(self.fkw.balanced_chunks(self.schedule.chunks)).max())
        weights, inputs = self.products.registers(self)
        copied = 0
        if self.schedule.copy_inputs:
            copied = (self.schedule.band or self.geometry.in_channels) * len(self.read_places)
        return Tile.allocate(
            self.code,
            self.places,
            group=self.fkw.group,
            weights=weights,
            inputs=inputs,
            waiting_groups=waiting,
            copied=copied,
        )

    def groups_of(self, chunk: Expr) -> tuple[Expr, Expr]:
        """Returns the first group of filters of a chunk, and the first of the next."""
        return self.stored["chunk"][chunk], self.stored["chunk"][chunk + 1]

    def filter(self, g: Expr, f: int) -> Expr:
        """Returns the output channel of the f-th filter of a group."""
        return tirx.Cast("int32", self.stored["reorder"][g * self.fkw.group + f])

    def corner(self, n: Expr, tile: Expr) -> Corner:
        """Returns the first vector of the tile with this number, row by row."""
        rows, columns = self.store.rows, self.store.columns
        return Corner(
            n=n,
            row=rows.start(tile // columns.count),
            column=columns.start(tile % columns.count),
        )

    def origin(self, corner: Corner) -> Expr:
        """Returns where in an input plane a tile begins to read."""
        stride, padding = self.geometry.stride, self.geometry.padding
        return self.geometry.in_layout.offset(
            corner.row * stride[0] - padding[0], corner.column * stride[1] - padding[1]
        )

    def distance(self, place: Place) -> int:
        """Returns how far behind a tile's origin this input vector lies, in values."""
        row, column = place
        return (row * self.geometry.in_layout.row_vectors + column) * self.code.lanes

    def reads(self, pattern: Pattern, tile: Tile) -> Reads:
        """Returns for each input vector of the tile which tap and output it serves."""
        return tile_reads(pattern, tile.places, self.geometry.stride, self.geometry.dilation)
