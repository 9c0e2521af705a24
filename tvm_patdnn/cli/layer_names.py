"""How layers that are one to tuning are named, while it measures and in its log."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["layer_names"]

_SHOWN = 3


def layer_names(layers: Sequence[str]) -> str:
    """Returns the first of the names, in a line."""
    return ", ".join([*layers[:_SHOWN], *(["..."] if len(layers) > _SHOWN else [])])
