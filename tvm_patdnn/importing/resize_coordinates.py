"""Where the outputs of a Resize lie on its input: ONNX's coordinate transformations.

All is computed in float32, as ONNX Runtime does: which of two neighbours is nearer is a
question of the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

__all__ = ["TRANSFORMATIONS", "ResizedAxis", "coordinates"]

F = np.float32


@dataclass(frozen=True, kw_only=True)
class ResizedAxis:
    """One axis of a Resize.

    Attributes:
        before, after: its sizes.
        scale: the given one, which need not be ``after / before``.
        region: the part of the input that is read, 0..1; of tf_crop_and_resize.
    """

    before: int
    after: int
    scale: float
    region: tuple[float, float] = (0.0, 1.0)


def coordinates(axis: ResizedAxis, transformation: str) -> np.ndarray:
    """Returns the position of each output on the input: (after,) float32."""
    outputs = np.arange(axis.after, dtype=np.float32)
    if F(axis.scale) == 1:
        return outputs  # whatever the transformation, as in ONNX Runtime
    return TRANSFORMATIONS[transformation](outputs, axis).astype(np.float32)


def _half_pixel(x: np.ndarray, axis: ResizedAxis) -> np.ndarray:
    return (x + F(0.5)) / F(axis.scale) - F(0.5)


def _pytorch_half_pixel(x: np.ndarray, axis: ResizedAxis) -> np.ndarray:
    return _half_pixel(x, axis) if axis.after > 1 else F(0) * x


def _symmetric_half_pixel(x: np.ndarray, axis: ResizedAxis) -> np.ndarray:
    exact = F(axis.scale) * F(axis.before)
    offset = F(axis.before) / F(2) * (F(1) - F(axis.after) / exact)
    doubled = x.astype(np.float64) + 0.5  # as ONNX Runtime does, here alone
    return offset + doubled / np.float64(F(axis.scale)) - 0.5


def _align_corners(x: np.ndarray, axis: ResizedAxis) -> np.ndarray:
    if axis.after == 1:
        return F(0) * x
    return x * F(axis.before - 1) / F(axis.after - 1)


def _crop(x: np.ndarray, axis: ResizedAxis) -> np.ndarray:
    (first, last), steps = (F(edge) for edge in axis.region), F(axis.before - 1)
    if axis.after == 1:
        return F(0.5) * (first + last) * steps + F(0) * x
    return first * steps + x * (last - first) * steps / F(axis.after - 1)


TRANSFORMATIONS: Mapping[str, Callable[[np.ndarray, ResizedAxis], np.ndarray]] = {
    "align_corners": _align_corners,
    "asymmetric": lambda x, axis: x / F(axis.scale),
    "half_pixel": _half_pixel,
    "half_pixel_symmetric": _symmetric_half_pixel,
    "pytorch_half_pixel": _pytorch_half_pixel,
    "tf_crop_and_resize": _crop,
    "tf_half_pixel_for_nn": lambda x, axis: (x + F(0.5)) / F(axis.scale),
}
