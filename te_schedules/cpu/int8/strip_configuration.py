"""One point of what tuning chooses from for a convolution of bytes, as people and logs read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from te_schedules.count_checks import check_counts
from te_schedules.cpu.int8.cell_products import CellProducts
from te_schedules.cpu.int8.column_strip import ColumnStrip
from te_schedules.cpu.int8.patch_products import PatchProducts
from te_schedules.cpu.int8.strip_kernel import Products, StripConv2d

__all__ = ["FAMILY", "VERSION", "StripConfiguration", "products_name"]

FAMILY = "cpu conv2d int8"
VERSION = 5  # raised when the same configuration becomes other code

_COUNTS = ("group", "rows", "tile", "chunks")


@dataclass(frozen=True, kw_only=True)
class StripConfiguration:
    """How one convolution of bytes is stored and computed.

    Attributes:
        sparse: whether pruned work is skipped.
        products: which four bytes are multiplied at a time, see ``products_name``.
        group: filters that share a list of entries.
        rows: of outputs, that a strip is for; of 1x1 layers, pixels.
        tile, chunks: see ``StripConv2d``.
    """

    sparse: bool
    products: str
    group: int
    rows: int
    tile: int
    chunks: int

    def __post_init__(self) -> None:
        if type(self.sparse) is not bool:
            raise ValueError(f"sparse is {self.sparse!r}, expected a bool")
        if type(self.products) is not str:
            raise ValueError(f"products is {self.products!r}, expected a text")
        check_counts({name: getattr(self, name) for name in _COUNTS})

    def __str__(self) -> str:
        return (
            f"{'sparse' if self.sparse else 'dense'}, {self.products}, group {self.group}, "
            f"strips of {self.rows} rows, tile {self.tile}, chunks {self.chunks}"
        )

    @classmethod
    def of(cls, kernel: StripConv2d, *, sparse: bool) -> StripConfiguration:
        """Returns the configuration of a kernel."""
        products = products_name(kernel.products)
        return cls(sparse=sparse, products=products, **kernel.schedule)

    def to_json(self) -> dict[str, Any]:
        """Returns the fields as JSON has them."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> StripConfiguration:
        """Reads what ``to_json`` returned.

        Raises:
            ValueError, TypeError: it is something else.
        """
        return cls(**values)


def products_name(products: Products) -> str:
    """Returns what logs call a way to multiply."""
    if isinstance(products, PatchProducts):
        shape = products.strip.shape
        return f"patches of {shape.rows}x{shape.columns}"
    if products.quads.coupled is not None:
        return "coupled cells"
    if isinstance(products, CellProducts):
        return "columns" if isinstance(products.strip, ColumnStrip) else "cells"
    return "taps"
