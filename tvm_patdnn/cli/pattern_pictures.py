"""Draws the patterns of a model with how often each occurs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from tvm_patdnn.library.report import Report

__all__ = ["count_patterns", "draw_patterns"]

_PER_LINE = 8
_SHOWN = 16  # a network with more was not pruned by patterns


def count_patterns(report: Report) -> dict[tuple[int, ...], dict[str, int]]:
    """Counts the kernels of each pattern over all layers.

    Returns:
        For each kernel shape (y, x), counts by the pattern's picture, the most frequent
        first. Kernels that keep all their weights do not count, nor do those that kept none.
    """
    found: dict[tuple[int, ...], Counter[str]] = defaultdict(Counter)
    for layer in report:
        for picture, count in zip(layer.patterns, layer.pattern_counts, strict=True):
            if "." in picture:
                found[tuple(layer.kernel_shape)][picture] += count
    return {shape: dict(counts.most_common()) for shape, counts in sorted(found.items())}


def draw_patterns(counts: Mapping[str, int]) -> str:
    """Draws patterns of one kernel shape side by side, each above its count.

    Args:
        counts: number of kernels by picture (``##./.#./.#.``), in the order to draw.
    """
    shown = list(counts.items())[:_SHOWN]
    starts = range(0, len(shown), _PER_LINE)
    lines = [line for k in starts for line in _row(shown[k : k + _PER_LINE])]
    if len(counts) > _SHOWN:
        rest = sum(counts.values()) - sum(count for _, count in shown)
        lines.append(f"and {len(counts) - _SHOWN} more patterns of {rest:,} kernels")
    return "\n".join(lines)


def _row(shown: list[tuple[str, int]]) -> Iterator[str]:
    pictures = [[*picture.split("/"), f"{count:,}"] for picture, count in shown]
    widths = [max(map(len, picture)) for picture in pictures]
    for cells in zip(*pictures, strict=True):
        yield ("  " + "  ".join(map(str.ljust, cells, widths))).rstrip()
