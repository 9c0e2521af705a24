"""All that determines a kernel that computes a convolution of bytes strip by strip."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from te_schedules.cpu.int8.cell_products import CellProducts
from te_schedules.cpu.int8.column_strip import ColumnStrip
from te_schedules.cpu.int8.flat_strip import FlatStrip
from te_schedules.cpu.int8.layer import Int8Layer
from te_schedules.cpu.int8.patch_products import PatchProducts
from te_schedules.cpu.int8.patch_strip import PatchStrip
from te_schedules.cpu.int8.tap_products import TapProducts
from tvm_patdnn.sparse.packing import equal_shares

__all__ = ["Products", "StripConv2d", "StripCounts"]


Products = TapProducts | CellProducts | PatchProducts

WEIGHTS = ("bias", "scale", "weight")  # of the constants; others say where what is


@dataclass(frozen=True, kw_only=True)
class StripCounts:
    """What a kernel stores, in bytes, and vectors that it loads and multiplies in all threads."""

    weight_bytes: int
    structure_bytes: int
    input_loads: int
    products: int


@dataclass(frozen=True, kw_only=True, eq=False)
class StripConv2d:
    """All that determines the kernel of a convolution of bytes.

    Attributes:
        tile: loads of inputs whose sums are in registers.
        chunks: ranges of groups of filters that threads share out.
    """

    products: Products
    tile: int
    chunks: int = 1

    @property
    def strip(self) -> FlatStrip | ColumnStrip | PatchStrip:
        """The copied inputs."""
        return self.products.strip

    @property
    def layer(self) -> Int8Layer:
        """What it computes."""
        return self.strip.layer

    @property
    def group(self) -> int:
        """Filters that share a list of entries."""
        return self.products.quads.group

    @property
    def groups(self) -> int:
        """Of filters."""
        return len(self.products.quads.offset) - 1

    @property
    def tile_pixels(self) -> int:
        """Outputs of a filter that are summed at one time."""
        return self.tile * self.products.vectors * self.strip.instructions.lanes

    @property
    def tiles(self) -> int:
        """How many cover a strip."""
        return -(-self.strip.outputs // self.tile_pixels)

    @property
    def strips(self) -> int:
        """How many cover a plane; the last may overlap the one before it."""
        return -(-self.layer.out_shape[2] // self.strip.rows)

    @property
    def stages(self) -> bool:
        """Whether outputs are put together before they are copied to their planes.

        Else a tile's are stored there; the last of a strip may overlap the one before it.
        """
        return not self.layer.pointwise or self.strip.outputs < self.tile_pixels

    @property
    def fits(self) -> bool:
        """Whether what an entry needs stays in registers."""
        products, instructions = self.products, self.strip.instructions
        sums = self.group * self.tile * products.vectors
        others = self.group + products.registers + instructions.in_flight
        return sums + others <= instructions.registers

    @cached_property
    def constants(self) -> dict[str, np.ndarray]:
        """The constants that its kernel takes, by name and in order."""
        quads, layer = self.products.quads, self.layer
        order = slice(None) if quads.filters is None else quads.filters
        numbers = {} if quads.filters is None else {"filter": quads.filters.astype(np.uint16)}
        return {
            "bias": self.strip.instructions.bias(layer)[order],
            "scale": layer.store.scale[order],
            **numbers,
            "chunk": equal_shares(np.diff(quads.offset), self.chunks),
            "offset": quads.offset,
            **({} if quads.coupled is None else {"coupled": quads.coupled}),
            "weight": quads.words,
            **self.products.constants,
        }

    @property
    def reason(self) -> str:
        """Why this kernel, for people."""
        return f"{self.products.name}, by {self.strip.instructions.name}"

    @property
    def schedule(self) -> dict[str, int]:
        """Its choices, for reports."""
        rows, group = self.strip.rows, self.group
        return {"rows": rows, "group": group, "tile": self.tile, "chunks": self.chunks}

    @property
    def counts(self) -> StripCounts:
        """What it stores and loads."""
        quads, layer = self.products.quads, self.layer
        strips = layer.in_shape[0] * self.strips
        tiles = quads.entries * self.tiles * strips * self.tile
        structure = [each.nbytes for name, each in self.constants.items() if name not in WEIGHTS]
        return StripCounts(
            weight_bytes=quads.weight.nbytes,
            structure_bytes=sum(structure),
            input_loads=tiles * self.products.loads,
            products=tiles * self.products.vectors * self.group,
        )
