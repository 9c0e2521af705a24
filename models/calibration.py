"""Inputs to quantise the networks here by: training images, or made-up pictures where none are.

Needs numpy only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import onnx

from models.mosaics import bayer_mosaic, dead_leaves
from tvm_patdnn.library.image_facts import image_facts

__all__ = ["CALIBRATION", "made_up_mosaics", "made_up_pictures"]

CALIBRATION = 128  # as many as `tvm-patdnn quantize` takes by default
_SEED = 2026


def made_up_pictures(model: onnx.ModelProto, count: int = CALIBRATION) -> Iterator[np.ndarray]:
    """Draws pictures as a classifier takes them, scaled as its file says: (1, 3, h, w) float32."""
    facts = image_facts({entry.key: entry.value for entry in model.metadata_props})
    mean, std = (_of_channels(values) for values in (facts.mean, facts.std))
    return _drawn(model, count, lambda picture: (picture - mean) / std)


def made_up_mosaics(model: onnx.ModelProto, count: int = 16) -> Iterator[np.ndarray]:
    """Draws mosaics as the demosaicking network takes them: (1, 3, h, w) float32."""
    return _drawn(model, count, bayer_mosaic)


def _drawn(
    model: onnx.ModelProto, count: int, finish: Callable[[np.ndarray], np.ndarray]
) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(_SEED)
    size = model.graph.input[0].type.tensor_type.shape.dim[3].dim_value
    for _ in range(count):
        yield finish(dead_leaves(size, rng))[None].astype(np.float32)


def _of_channels(values: Sequence[float]) -> np.ndarray:
    return np.array(values, np.float32).reshape(-1, 1, 1)
