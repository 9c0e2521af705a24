"""Makes up inputs for a model."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tvm_patdnn.tensor_spec import TensorSpec

__all__ = ["random_inputs"]


def random_inputs(specs: Mapping[str, TensorSpec]) -> dict[str, np.ndarray]:
    """Returns an array for each input, always the same: 0 to 1, and of whole numbers 0 or 1."""
    rng = np.random.default_rng(0)
    return {name: _random(rng, spec) for name, spec in specs.items()}


def _random(rng: np.random.Generator, spec: TensorSpec) -> np.ndarray:
    dtype = np.dtype(spec.dtype)
    values = rng.random(spec.shape) if dtype.kind == "f" else rng.integers(0, 2, spec.shape)
    return np.asarray(values).astype(dtype)
