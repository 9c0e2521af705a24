"""Gives every tensor of a sequence its place in one block of memory.

First fit over lifetimes, tried in several orders; the best takes less than TVM's planner, which
pairs tensors without cutting blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from tvm_patdnn.standalone.tensor_bytes import aligned_bytes

__all__ = ["Life", "MemoryPlan", "plan_memory"]

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, kw_only=True)
class Life:
    """A tensor: its bytes, and the first and the last step that need it."""

    bytes: int
    first: int
    last: int

    def meets(self, other: Life) -> bool:
        """Whether there is a step that needs both."""
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True, kw_only=True)
class MemoryPlan:
    """Offsets of the tensors, and the bytes of the block."""

    offsets: Mapping[Any, int]
    bytes: int


_ORDERS: tuple[Callable[[Life], tuple[int, ...]], ...] = (
    lambda life: (-life.bytes, life.first),
    lambda life: (life.first, -life.bytes),
    lambda life: (-life.bytes * (life.last - life.first + 1), life.first),
    lambda life: (-life.last, -life.bytes),
)


def plan_memory(lives: Mapping[Key, Life]) -> MemoryPlan:
    """Places tensors so that those needed at one time do not overlap."""
    plans = [_place(sorted(lives, key=lambda key: order(lives[key])), lives) for order in _ORDERS]
    return min(plans, key=lambda plan: plan.bytes)


def _place(keys: Sequence[Key], lives: Mapping[Key, Life]) -> MemoryPlan:
    offsets: dict[Key, int] = {}
    for key in keys:
        taken = sorted(
            (offsets[other], aligned_bytes(lives[other].bytes))
            for other in keys
            if other in offsets and lives[other].meets(lives[key])
        )
        offsets[key] = _first_gap(taken, aligned_bytes(lives[key].bytes))
    ends = [offset + aligned_bytes(lives[key].bytes) for key, offset in offsets.items()]
    return MemoryPlan(offsets=offsets, bytes=max(ends, default=0))


def _first_gap(taken: Sequence[tuple[int, int]], size: int) -> int:
    """The lowest offset with ``size`` free bytes, beside (offset, bytes) in rising order."""
    end = 0
    for offset, length in taken:
        if offset - end >= size:
            break
        end = max(end, offset + length)
    return end
