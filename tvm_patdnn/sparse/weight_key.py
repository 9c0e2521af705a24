"""Recognises a layer by its weight, the one thing that survives the import to Relax."""

from __future__ import annotations

import hashlib

import numpy as np

__all__ = ["weight_key"]


def weight_key(weight: np.ndarray) -> str:
    """Hashes the shape and the values of a weight, whatever its float type was."""
    digest = hashlib.sha1(repr(tuple(weight.shape)).encode(), usedforsecurity=False)
    digest.update(np.ascontiguousarray(weight, dtype=np.float32).data)
    return digest.hexdigest()
