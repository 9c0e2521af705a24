"""Pattern mining: which patterns a trained network would choose by itself.

The *natural pattern* of a kernel keeps the centre and the other entries of largest
magnitude; the pattern set of a network is the k most frequent natural patterns of all
its layers (PatDNN, section 4.1). A kernel of even height or width has no centre: its
natural pattern is simply its largest entries.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import combinations

import numpy as np

from tvm_patdnn.errors import PruningError
from tvm_patdnn.sparse.patterns import Pattern, find_patterns

__all__ = ["candidate_patterns", "count_natural_patterns", "mine_patterns", "natural_masks"]


def candidate_patterns(kernel_shape: tuple[int, int], entries: int) -> list[Pattern]:
    """Lists all patterns of ``entries`` taps that keep the centre, where there is one.

    For a 3x3 kernel and 4 entries these are the C(8, 3) = 56 candidates of PatDNN.

    Raises:
        PruningError: ``entries`` is not between 1 and the kernel's size.
    """
    _check_entries(kernel_shape, entries)
    height, width = kernel_shape
    centre = _centre_tap(kernel_shape)
    fixed = [] if centre is None else [divmod(centre, width)]
    others = [divmod(tap, width) for tap in range(height * width) if tap != centre]
    return [
        Pattern(kernel_shape=kernel_shape, taps=tuple(sorted([*fixed, *chosen])))
        for chosen in combinations(others, entries - len(fixed))
    ]


def natural_masks(weight: np.ndarray, entries: int) -> np.ndarray:
    """Marks the natural pattern of every kernel.

    Args:
        weight: (out_c, in_c, kh, kw), any real dtype. Of equal entries the first in
            row-major order wins.
        entries: number of taps to keep, the centre included.

    Returns:
        (out_c, in_c, kh, kw) bool with ``entries`` marks in every kernel.

    Raises:
        PruningError: ``entries`` is not between 1 and the kernel's size.
    """
    kernel_shape = (weight.shape[2], weight.shape[3])
    _check_entries(kernel_shape, entries)
    magnitude = np.abs(weight.astype(np.float64)).reshape(-1, kernel_shape[0] * kernel_shape[1])
    centre = _centre_tap(kernel_shape)
    if centre is not None:
        magnitude[:, centre] = np.inf
    strongest = np.argsort(-magnitude, axis=1, kind="stable")[:, :entries]
    masks = np.zeros(magnitude.shape, dtype=bool)
    np.put_along_axis(masks, strongest, True, axis=1)
    return masks.reshape(weight.shape)


def count_natural_patterns(weights: Iterable[np.ndarray], entries: int) -> Counter[Pattern]:
    """Counts the natural patterns of all kernels that are not entirely zero.

    Args:
        weights: layers (out_c, in_c, kh, kw), one kernel size for all.
        entries: number of taps of a pattern, the centre included.
    """
    counts: Counter[Pattern] = Counter()
    for weight in weights:
        alive = (weight != 0).any(axis=(2, 3), keepdims=True)
        found = find_patterns(natural_masks(weight, entries) & alive)
        counts.update(dict(zip(found.patterns, found.counts, strict=True)))
    return counts


def mine_patterns(weights: Iterable[np.ndarray], count: int, entries: int) -> tuple[Pattern, ...]:
    """Returns the ``count`` most frequent natural patterns, the most frequent first.

    Equally frequent patterns come in the order of their taps, so the result does not
    depend on the order of the layers. Fewer are returned where fewer exist.

    Raises:
        PruningError: ``count`` is below 1, or ``entries`` does not fit the kernels.
    """
    if count < 1:
        raise PruningError(f"a pattern set needs at least 1 pattern, got count={count}")
    counts = count_natural_patterns(weights, entries)
    ranked = sorted(counts, key=lambda pattern: (-counts[pattern], pattern))
    return tuple(ranked[:count])


def _check_entries(kernel_shape: tuple[int, int], entries: int) -> None:
    height, width = kernel_shape
    if not 1 <= entries <= height * width:
        raise PruningError(
            f"a {height}x{width} kernel can keep 1 to {height * width} entries, got {entries}"
        )


def _centre_tap(kernel_shape: tuple[int, int]) -> int | None:
    """Returns the row-major position of the centre, None for even sizes."""
    height, width = kernel_shape
    if height % 2 == 0 or width % 2 == 0:
        return None
    return height // 2 * width + width // 2
