"""Chooses how a convolution of bytes is stored and scheduled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from te_schedules.cpu.int8.cell_products import CellProducts
from te_schedules.cpu.int8.column_strip import ColumnStrip, column_weight, has_columns
from te_schedules.cpu.int8.flat_strip import CELL, FlatStrip
from te_schedules.cpu.int8.instruction_sets import instructions_for
from te_schedules.cpu.int8.instructions import Instructions
from te_schedules.cpu.int8.layer import Int8Layer
from te_schedules.cpu.int8.patch_products import PatchProducts
from te_schedules.cpu.int8.patch_shape import patch_shapes
from te_schedules.cpu.int8.patch_strip import PatchStrip
from te_schedules.cpu.int8.strip_cost import strip_cost
from te_schedules.cpu.int8.strip_kernel import Products, StripConv2d
from te_schedules.cpu.int8.tap_products import TapProducts
from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.sparse.couple_quads import couple_entries
from tvm_patdnn.sparse.pack_quads import pack_cells, pack_patterns, pack_taps
from tvm_patdnn.sparse.pair_weights import pair_patterns, pair_taps
from tvm_patdnn.sparse.quads import Quads, without_overflow

__all__ = ["DENSE", "GROUPS", "TILES", "choose_strips", "products_of", "shares_evenly", "strips"]

GROUPS = (1, 2, 4, 8)  # filters that may share a list
DENSE = 0.9  # of the weights: quantisation makes a few zeros by itself
COUPLED = 256  # weights for an output, at most: lists of coupled entries take a fourth more
MOST_CUTS = 16  # of a plane, each number of which is tried
TILES = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12)


def choose_strips(layer: Int8Layer, cpu: CpuModel, sparse: bool = True) -> StripConv2d:
    """Returns the kernel that should be the fastest.

    Args:
        sparse: False computes a pruned layer as if it were dense.
    """
    return min(strips(layer, cpu, sparse), key=lambda kernel: strip_cost(kernel, cpu))


def strips(layer: Int8Layer, cpu: CpuModel, sparse: bool) -> Iterator[StripConv2d]:
    """Yields the kernels that it chooses from."""
    for group in GROUPS:
        if shares_evenly(layer, group):
            for products in products_of(layer, instructions_for(cpu), group, sparse=sparse):
                yield from _schedules(StripConv2d(products=products, tile=1), cpu)


def shares_evenly(layer: Int8Layer, group: int) -> bool:
    """Whether so many filters can share a list."""
    of_group = layer.out_shape[1] // layer.groups
    return group <= of_group and (layer.groups == 1 or of_group % group == 0)


def products_of(
    layer: Int8Layer, instructions: Instructions, group: int, *, sparse: bool = True
) -> Iterator[Products]:
    """Yields the ways to multiply for groups of so many filters, but for such as never pay."""
    limit = instructions.pair_limit
    layer = layer.as_column if layer.pointwise else layer
    shared = sparse and group > 1 and layer.groups == 1
    order = layer.alike_order if shared else None
    weight = layer.weight if order is None else layer.weight[order]

    def safe(quads: Quads) -> Quads:
        return without_overflow(replace(quads, filters=order), limit)

    def columns(sparse: bool) -> CellProducts:
        quads = pack_cells(column_weight(weight), group, sparse=sparse)
        strip = ColumnStrip(layer=layer, instructions=instructions, rows=1)
        return CellProducts(quads=safe(quads), strip=strip)

    flat = FlatStrip(layer=layer, instructions=instructions, rows=1)
    if instructions.has_cells and _fills_cells(layer, sparse):
        quads = pack_cells(weight, group, sparse=sparse)
        cells = CellProducts(quads=safe(quads), strip=replace(flat, cells=True))
        yield cells
        if instructions.couple_dot is not None and _is_used_often(layer):
            yield replace(cells, quads=couple_entries(cells.quads, limit))
        return
    quads = pack_taps(weight, group, layer.groups, sparse=sparse)
    yield TapProducts(quads=safe(pair_taps(quads, limit)), strip=flat)
    if layer.groups > 1:
        if instructions.has_cells and has_columns(layer) and group == 1:
            yield columns(sparse=False)  # all lists are alike
        return
    if instructions.has_cells:
        quads = pack_cells(weight, group, sparse=sparse)
        yield CellProducts(quads=safe(quads), strip=replace(flat, cells=True))
    if instructions.has_cells and has_columns(layer):
        yield columns(sparse)
    shapes = patch_shapes(layer, instructions)
    if not shapes:
        return
    packed = pair_patterns(pack_patterns(weight, group, sparse=sparse), limit)
    quads = safe(packed.quads)
    for shape in shapes:
        strip = PatchStrip(layer=layer, instructions=instructions, rows=shape.rows, shape=shape)
        yield PatchProducts(quads=quads, patterns=packed.patterns, strip=strip)


def _fills_cells(layer: Int8Layer, sparse: bool) -> bool:
    """Whether each load of a cell brings four bytes that are multiplied: nothing takes less."""
    kept = np.count_nonzero(layer.weight) / layer.weight.size if sparse else 1.0
    return layer.groups == 1 and layer.in_shape[1] % CELL == 0 and kept >= DENSE


def _is_used_often(layer: Int8Layer) -> bool:
    """Whether a weight is for so many outputs that longer lists of entries pay."""
    return layer.weight.size <= COUPLED * layer.out_pixels


def _schedules(kernel: StripConv2d, cpu: CpuModel) -> Iterator[StripConv2d]:
    for tile in TILES:
        if kernel.group * tile > 1 and not replace(kernel, tile=tile).fits:
            return
        for rows in _rows(kernel.layer, replace(kernel, tile=tile).tile_pixels):
            products = kernel.products.with_rows(rows)
            for chunks in sorted({1, min(cpu.num_cores, kernel.groups)}):
                yield replace(kernel, products=products, tile=tile, chunks=chunks)


def _rows(layer: Int8Layer, tile: int) -> list[int]:
    """Returns the rows of a strip that cut a plane into strips of nearly equal size.

    Args:
        tile: pixels, by which strips are cut whose rows are of one.
    """
    height = layer.out_shape[2]
    if not layer.pointwise:
        return sorted({-(-height // strips) for strips in range(1, height + 1)})
    tiles = -(-height // tile)
    counts = {*range(1, min(tiles, MOST_CUTS) + 1), *(tiles >> i for i in range(8)), 1} - {0}
    return sorted({min(height, -(-tiles // strips) * tile) for strips in counts})
