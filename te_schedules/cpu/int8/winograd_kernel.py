"""All that determines a kernel that computes a convolution of bytes by Winograd's transforms.

Inputs less their zero point, transformed, fit in 16 bits, and so do transformed weights: sums of
products are exact. What is lost of them in front of 32 bits does not matter as long as results,
times a power of 2, fit: these are found modulo 2^32.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from te_schedules.cpu.int8.flat_strip import FlatStrip
from te_schedules.cpu.int8.instructions import Instructions
from te_schedules.cpu.int8.layer import Int8Layer
from te_schedules.cpu.int8.strip_kernel import StripCounts
from te_schedules.cpu.int8.winograd_schedule import TileSchedule
from te_schedules.cpu.int8.winograd_transform import (
    TAPS,
    IntegerTransform,
    results_factors,
    results_shift,
)
from te_schedules.cpu.int8.winograd_weights import transform_weight
from te_schedules.cpu.int8.winograd_words import WordProducts
from te_schedules.cpu.odd_lines import odd_lines

__all__ = ["TileConv2d", "takes_transforms"]

LEAST = 4  # tiles that are transformed in one vector


def takes_transforms(layer: Int8Layer) -> bool:
    """Whether a layer is of windows that have transforms, over all channels."""
    window = layer.window
    whole = {*window.stride, *window.dilation} == {1}
    return window.taps == (TAPS, TAPS) and whole and layer.groups == 1


@dataclass(frozen=True, kw_only=True, eq=False)
class TileConv2d:
    """All that determines the kernel.

    Attributes:
        layer: of which ``takes_transforms`` is true.
        instructions: of its bytes.
        words: of its products.
    """

    layer: Int8Layer
    instructions: Instructions
    words: WordProducts
    schedule: TileSchedule

    @property
    def y(self) -> IntegerTransform:
        """The transform of columns."""
        return IntegerTransform(self.schedule.height)

    @property
    def x(self) -> IntegerTransform:
        """The transform of rows."""
        return IntegerTransform(self.schedule.width)

    @property
    def places(self) -> int:
        """Products of a tile, one channel and one filter."""
        return self.y.products * self.x.products

    @property
    def across(self) -> int:
        """Tiles of a row of tiles."""
        return -(-self.layer.out_shape[3] // self.schedule.width)

    @property
    def blocks(self) -> int:
        """Blocks of rows of tiles that cover a plane; the last may reach beyond it."""
        return -(-self.layer.out_shape[2] // self.block_height)

    @property
    def block_height(self) -> int:
        """Rows of outputs of a block."""
        return self.schedule.rows * self.schedule.height

    @property
    def vectors(self) -> int:
        """That the tiles of a block take."""
        return -(-self.schedule.rows * self.across // self.words.lanes)

    @property
    def step(self) -> int:
        """Tiles of a row that are transformed in one vector."""
        full = self.instructions.bytes // 2 // self.words.depth
        return min(full, max(LEAST, 1 << (self.across - 1).bit_length()))

    @property
    def steps(self) -> int:
        """Vectors of a row."""
        return -(-self.across // self.step)

    @property
    def pairs(self) -> int:
        """Channels, or what is multiplied in one step of them."""
        return -(-self.layer.in_shape[1] // self.words.depth)

    @property
    def groups(self) -> int:
        """Of filters; the last begins so early that it is full."""
        return -(-self.layer.out_shape[1] // self.schedule.group)

    @property
    def most_filters(self) -> int:
        """Of a chunk."""
        return -(-self.groups // self.schedule.chunks) * self.schedule.group

    @cached_property
    def strip(self) -> FlatStrip:
        """Where the bytes of a channel are that a block reads."""
        batch, filters, _, _ = self.layer.out_shape
        shape = (batch, filters, self.block_height, self.across * self.schedule.width)
        return FlatStrip(
            layer=replace(self.layer, out_shape=shape),
            instructions=replace(self.instructions, signed=False),
            rows=self.block_height,
        )

    @property
    def place_words(self) -> int:
        """From the transformed inputs of one place to those of the next."""
        words = (self.pairs * self.vectors * self.words.lanes + self.step) * self.words.depth
        return odd_lines(words, 2)

    @property
    def place_sums(self) -> int:
        """From the sums of one place to those of the next."""
        return odd_lines(self.most_filters * self.vectors * self.words.lanes, 4)

    @property
    def shift(self) -> int:
        """Results are found times this power of 2."""
        return results_shift(self.y, self.x)

    @property
    def factors(self) -> np.ndarray:
        """(height, width) int32: what makes results of transformed sums, modulo 2^32."""
        return results_factors(self.y, self.x)

    @property
    def is_exact(self) -> bool:
        """Whether all results, times a power of 2, fit in 32 bits."""
        return self.layer.largest < 2 ** (31 - self.shift)

    @property
    def fits(self) -> bool:
        """Whether what a step of channels needs stays in registers."""
        group, together = self.schedule.group, self.schedule.together
        return group * together + together + 2 <= self.words.registers

    @cached_property
    def constants(self) -> Mapping[str, np.ndarray]:
        """The constants that its kernel takes, by name and in order."""
        weight = transform_weight(
            self.layer.weight, self.y, self.x, group=self.schedule.group, depth=self.words.depth
        )
        return {
            "bias": (self.layer.own_bias << self.shift).astype(np.uint32).view(np.int32),
            "scale": self.layer.store.scale / np.float32(2**self.shift),
            "weight": weight.view(self.words.stored)[..., 0],
        }

    @property
    def reason(self) -> str:
        """Why this kernel, for people."""
        tile = f"{self.schedule.height}x{self.schedule.width}"
        return f"Winograd's transforms of {tile} outputs in 16 bits, by {self.words.name}"

    @property
    def counts(self) -> StripCounts:
        """What it stores, and the vectors that are loaded and multiplied for its products."""
        blocks = self.layer.in_shape[0] * self.blocks * self.schedule.chunks
        groups = self.most_filters // self.schedule.group
        loads = blocks * groups * self.places * self.pairs * self.vectors
        weights = self.places * self.groups * self.schedule.group * self.pairs * self.words.depth
        return StripCounts(
            weight_bytes=2 * weights,
            structure_bytes=0,
            input_loads=loads,
            products=loads * self.schedule.group,
        )
