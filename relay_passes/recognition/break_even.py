"""Whether a layer's zeros are worth a kernel of their own, and what to say of it."""

from __future__ import annotations

import math

from relay_passes.recognition.analyze_convolutions import ConvLayer
from relay_passes.recognition.cover_patterns import zeros_stored

__all__ = ["break_even"]


def break_even(layer: ConvLayer, share: float, how: str, group: int) -> tuple[bool, str]:
    """Compares the best sparse kernel with the dense one.

    Args:
        share: the sparse kernel's time over the dense one's; 0 or infinite where only that is
            known which is the faster one.
        how: it is known.
        group: filters that share a list in the sparse kernel.

    Returns:
        Whether the sparse kernel is faster, and why the faster one is chosen.
    """
    if share >= 1.0:
        times = f", {share:.1f}x dense's time" if share < math.inf else ""
        return False, f"{_found(layer)}: below break-even{times} {how}"
    shared = f", in blocks of {group} filters" if group > 1 else ""
    times = f"{1 / share:.1f}x " if share else ""
    return True, f"{_found(layer)}{shared}: {times}faster than dense {how}"


def _found(layer: ConvLayer) -> str:
    found = layer.found
    removed = 1 - found.kept_kernels / found.ids.size
    patterns = f"{len(found.patterns)} pattern{'s' * (len(found.patterns) != 1)}"
    zeros = zeros_stored(found)
    text = f"{patterns}, {removed:.0%} of the kernels gone, {found.compression:.1f}x"
    return f"{text}, {zeros}" if zeros else text
