"""Kernel patterns: which positions of a convolution kernel hold a weight.

A *kernel* is one ``(kh, kw)`` slice ``weight[out_channel, in_channel]`` of a
convolution's weight; its *pattern* is the set of positions that are not zero
(PatDNN, section 4.1). :func:`find_patterns` reads them off the zeros of any weight,
so nothing has to announce that a network was pruned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress

import numpy as np

from tvm_patdnn.errors import PruningError

__all__ = ["KernelPatterns", "Pattern", "find_patterns"]


@dataclass(frozen=True, kw_only=True, order=True)
class Pattern:
    """The kept positions of a kernel.

    Args:
        kernel_shape: height and width of the kernel.
        taps: kept positions ``(y, x)`` in row-major order, at least one.

    Raises:
        PruningError: the taps are missing, unsorted, repeated or outside the kernel.
    """

    kernel_shape: tuple[int, int]
    taps: tuple[tuple[int, int], ...]

    def __post_init__(self) -> None:
        """Checks the taps."""
        height, width = self.kernel_shape
        if not self.taps:
            raise PruningError(
                f"a pattern of a {height}x{width} kernel needs at least one tap, got none; "
                "a kernel without weights has no pattern"
            )
        outside = [(y, x) for y, x in self.taps if not (0 <= y < height and 0 <= x < width)]
        if outside:
            raise PruningError(
                f"tap {outside[0]} lies outside a {height}x{width} kernel; "
                f"expected 0 <= y < {height} and 0 <= x < {width}"
            )
        if list(self.taps) != sorted(set(self.taps)):
            raise PruningError(
                f"taps {self.taps} are repeated or out of order; give each once, in row-major order"
            )

    @classmethod
    def from_mask(cls, mask: np.ndarray) -> Pattern:
        """Returns the pattern of ``mask``: (kh, kw), kept where it is not zero."""
        mask = np.asarray(mask)
        if mask.ndim != 2:
            raise PruningError(f"a pattern mask has 2 dimensions (kh, kw), got shape {mask.shape}")
        taps = tuple((int(y), int(x)) for y, x in np.argwhere(mask))
        return cls(kernel_shape=(mask.shape[0], mask.shape[1]), taps=taps)

    @classmethod
    def from_picture(cls, picture: str) -> Pattern:
        """Returns the pattern drawn as ``##./.#./.#.``, the form that ``str`` writes."""
        rows = picture.split("/")
        if len({len(row) for row in rows}) != 1 or set(picture) - set("#./"):
            raise PruningError(
                f"{picture!r} is not a picture of a pattern; expected rows of equal length "
                "of '#' (kept) and '.' (removed), joined by '/', such as '##./.#./.#.'"
            )
        return cls.from_mask(np.array([[tap == "#" for tap in row] for row in rows]))

    def mask(self) -> np.ndarray:
        """Returns the kept positions: (kh, kw) bool."""
        mask = np.zeros(self.kernel_shape, dtype=bool)
        mask[tuple(zip(*self.taps, strict=True))] = True
        return mask

    def __len__(self) -> int:
        """Returns the number of kept positions."""
        return len(self.taps)

    def __str__(self) -> str:
        """Draws the kept positions, rows from top to bottom: ``##./.#./.#.``."""
        return "/".join("".join(".#"[int(kept)] for kept in row) for row in self.mask())


@dataclass(frozen=True, kw_only=True, eq=False)
class KernelPatterns:
    """The patterns found in one convolution weight.

    Attributes:
        kernel_shape: height and width of the layer's kernels.
        patterns: the distinct patterns, the most frequent first.
        ids: (out_c, in_c) int32, index into ``patterns``; -1 where the kernel is zero.
    """

    kernel_shape: tuple[int, int]
    patterns: tuple[Pattern, ...]
    ids: np.ndarray

    @cached_property
    def counts(self) -> tuple[int, ...]:
        """Number of kernels of each pattern."""
        kept = self.ids[self.ids >= 0]
        return tuple(int(n) for n in np.bincount(kept, minlength=len(self.patterns)))

    @property
    def kept_kernels(self) -> int:
        """Number of kernels with at least one weight."""
        return sum(self.counts)

    @property
    def kept_weights(self) -> int:
        """Number of weights that are not zero."""
        return sum(n * len(p) for n, p in zip(self.counts, self.patterns, strict=True))

    @property
    def dense_weights(self) -> int:
        """Number of weights before pruning."""
        return self.ids.size * self.kernel_shape[0] * self.kernel_shape[1]

    @property
    def compression(self) -> float:
        """Dense weights over kept weights: 1.0 for a dense layer, inf for one of zeros."""
        return self.dense_weights / self.kept_weights if self.kept_weights else float("inf")


def find_patterns(weight: np.ndarray) -> KernelPatterns:
    """Finds which positions of every kernel are not zero.

    Args:
        weight: (out_c, in_c per group, kh, kw), any real dtype; NaN counts as a weight.

    Raises:
        PruningError: the weight does not have four dimensions.
    """
    weight = np.asarray(weight)
    if weight.ndim != 4:
        raise PruningError(
            f"patterns are found in weights (out_c, in_c, kh, kw), got shape {weight.shape}"
        )
    out_c, in_c, height, width = weight.shape
    masks = (weight != 0).reshape(out_c * in_c, height * width)
    firsts, ids = _distinct_rows(masks)
    positions = tuple(np.ndindex(height, width))
    patterns = tuple(
        Pattern(kernel_shape=(height, width), taps=tuple(compress(positions, kept)))
        for kept in masks[firsts].tolist()
    )
    ids = ids.reshape(out_c, in_c).astype(np.int32)
    ids.flags.writeable = False
    return KernelPatterns(kernel_shape=(height, width), patterns=patterns, ids=ids)


def _distinct_rows(masks: np.ndarray) -> tuple[Sequence[int], np.ndarray]:
    """Groups equal rows of ``masks``: (n, taps) bool, leaving out rows without a tap.

    Returns:
        The number of one row of each group, the largest group first and equal ones by
        their bits; and (n,) the group of each row, -1 for rows without a tap.
    """
    keys = _row_keys(masks)
    _, firsts, groups, counts = np.unique(
        keys, return_index=True, return_inverse=True, return_counts=True
    )
    empty = ~masks[firsts].any(axis=1)
    order = np.argsort(np.where(empty, 1, -counts), kind="stable")[: int((~empty).sum())]
    rank = np.full(len(firsts), -1)
    rank[order] = np.arange(len(order))
    return firsts[order].tolist(), rank[groups.reshape(-1)]


def _row_keys(masks: np.ndarray) -> np.ndarray:
    """Packs each row of ``masks``: (n, taps) bool into one sortable key of n."""
    taps = masks.shape[1]
    if taps <= 16:
        return masks @ (1 << np.arange(taps, dtype=np.uint16))
    packed = np.packbits(masks, axis=1, bitorder="little")
    if taps <= 64:
        wide = np.zeros((len(masks), 8), np.uint8)
        wide[:, : packed.shape[1]] = packed
        return wide.view("<u8").reshape(-1)
    return np.ascontiguousarray(packed).view(f"V{packed.shape[1]}").reshape(-1)
