"""What goes into the models, and how far an output is from the reference's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import helper

__all__ = ["make_inputs", "relative_error"]

_SEED = 0


def make_inputs(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    """Makes an array for each input of a model with fixed shapes.

    Returns:
        Float inputs: uniform in 0..1, as pixels. Bytes: all values. Others: 0 and 1.
    """
    random = np.random.default_rng(_SEED)
    arrays = {}
    for value in model.graph.input:
        tensor = value.type.tensor_type
        shape = [dim.dim_value for dim in tensor.shape.dim]
        dtype = helper.tensor_dtype_to_np_dtype(tensor.elem_type)
        numbers = (
            random.random(shape) if dtype.kind == "f" else random.integers(*_range(dtype), shape)
        )
        arrays[value.name] = numbers.astype(dtype)
    return arrays


def _range(dtype: np.dtype) -> tuple[int, int]:
    """Returns the least integer of an input, and one more than the largest."""
    if dtype not in (np.uint8, np.int8):
        return 0, 2
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max) + 1


def relative_error(outputs: Sequence[np.ndarray], expected: Sequence[np.ndarray]) -> float:
    """Returns the largest difference over the largest expected value, of the worst output.

    Shapes may differ in axes of size 1. Infinite where an output is missing, has another
    size, or holds a value that is not finite.
    """
    if len(outputs) != len(expected):
        return float("inf")
    return max(map(_error, outputs, expected), default=0.0)


def _error(output: np.ndarray, expected: np.ndarray) -> float:
    if output.size != expected.size or not np.isfinite(output).all():
        return float("inf")
    wanted = expected.astype(np.float64)
    difference = np.abs(output.reshape(expected.shape) - wanted).max(initial=0.0)
    return float(difference / max(np.abs(wanted).max(initial=0.0), np.finfo(np.float32).tiny))
