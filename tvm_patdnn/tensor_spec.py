"""What is known of an input before it is there."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["TensorSpec"]


class TensorSpec(NamedTuple):
    """The shape and numpy dtype name of a tensor."""

    shape: tuple[int, ...]
    dtype: str
