"""Which inputs an output of a Resize is made of, and how much of each, along one axis."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from tvm_patdnn.importing.resize_coordinates import ResizedAxis, coordinates

__all__ = ["NEAREST", "Interpolation", "Taps", "taps"]

F = np.float32
_HALF_WAY = F(1e-6)  # ONNX Runtime takes positions this near to a half as a half


@dataclass(frozen=True, kw_only=True)
class Interpolation:
    """What is done along every axis; ONNX's names and defaults.

    Attributes:
        mode: "nearest", "linear" or "cubic".
        transformation: a key of ``TRANSFORMATIONS``.
        nearest: a key of ``NEAREST``.
        cubic_coeff: the coefficient a of the cubic.
        exclude_outside: whether only positions inside of the input have a weight.
        antialias: whether a smaller output is a mean over all that it stands for.
    """

    mode: str = "nearest"
    transformation: str = "half_pixel"
    nearest: str = "round_prefer_floor"
    cubic_coeff: float = -0.75
    exclude_outside: bool = False
    antialias: bool = False


@dataclass(frozen=True, kw_only=True)
class Taps:
    """What each output is made of.

    Attributes:
        indices: (outputs, taps) int64, on the input.
        weights: (outputs, taps) float32.
        outside: (outputs,) bool: lies beyond the edges of the input, which has a meaning for
            tf_crop_and_resize alone.
    """

    indices: np.ndarray
    weights: np.ndarray
    outside: np.ndarray


def taps(axis: ResizedAxis, how: Interpolation) -> Taps:
    """Returns the taps along an axis; there is one where the mode is "nearest"."""
    at, last = coordinates(axis, how.transformation), axis.before - 1
    if how.mode == "nearest":
        indices = NEAREST[how.nearest](at, axis)[:, None]
        weights = np.ones_like(at)[:, None]
    elif how.antialias:
        indices, weights = _antialiased(at, axis, how)
    elif how.mode == "linear":
        indices, weights = _linear(np.clip(at, 0, F(last)))
    else:
        indices, weights = _cubic(at, how.cubic_coeff)
    if how.exclude_outside and how.mode == "cubic":
        weights = np.where((indices >= 0) & (indices <= last), weights, F(0))
    return Taps(
        indices=np.clip(indices, 0, last).astype(np.int64),
        weights=(weights / weights.sum(axis=1, keepdims=True)).astype(np.float32),
        outside=((at < 0) | (at > last)) & (how.transformation == "tf_crop_and_resize"),
    )


def _prefer_floor(at: np.ndarray, axis: ResizedAxis) -> np.ndarray:
    return np.floor(at) + (_past_half(at) > _HALF_WAY)


def _prefer_ceil(at: np.ndarray, axis: ResizedAxis) -> np.ndarray:
    return np.floor(at) + (_past_half(at) > -_HALF_WAY)


def _past_half(at: np.ndarray) -> np.ndarray:
    return at - (np.floor(at) + F(0.5))


def _oldest(at: np.ndarray, axis: ResizedAxis) -> np.ndarray:
    """Rounds as operator sets before 11 do, which have no attribute for it."""
    return np.ceil(at) if axis.scale < 1 else np.floor(at)


NEAREST: Mapping[str, Callable[[np.ndarray, ResizedAxis], np.ndarray]] = {
    "ceil": lambda at, axis: np.ceil(at),
    "floor": lambda at, axis: np.floor(at),
    "oldest": _oldest,
    "round_prefer_ceil": _prefer_ceil,
    "round_prefer_floor": _prefer_floor,
}


def _linear(at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    low = np.floor(at)
    part = at - low
    return np.stack([low, low + 1], axis=1), np.stack([1 - part, part], axis=1)


def _cubic(at: np.ndarray, a: float) -> tuple[np.ndarray, np.ndarray]:
    steps = np.arange(-1, 3, dtype=np.float32)
    low = np.floor(at)[:, None]
    return low + steps, _cubic_weight(steps - (at[:, None] - low), a)


def _cubic_weight(distance: np.ndarray, a: float) -> np.ndarray:
    x = np.abs(distance.astype(np.float64))
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * a
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


def _triangle(distance: np.ndarray, a: float) -> np.ndarray:
    return np.maximum(0.0, 1 - np.abs(distance.astype(np.float64)))


def _antialiased(
    at: np.ndarray, axis: ResizedAxis, how: Interpolation
) -> tuple[np.ndarray, np.ndarray]:
    """Widens the filter by how much smaller the output is, as Pillow and ONNX Runtime do."""
    shrink = min(1.0, axis.scale)
    weight, radius = (_triangle, 1) if how.mode == "linear" else (_cubic_weight, 2)
    support = radius / shrink
    centre = at.astype(np.float64) + 0.5
    first = np.floor(centre - support + 0.5)
    count = int(np.max(np.floor(centre + support + 0.5) - first))
    indices = first[:, None] + np.arange(count)
    beyond = indices >= np.floor(centre + support + 0.5)[:, None]
    outside = (indices < 0) | (indices >= axis.before)
    weights = weight((indices - centre[:, None] + 0.5) * shrink, how.cubic_coeff)
    weights = np.where(beyond | (outside & how.exclude_outside), 0.0, weights)
    return indices, weights
