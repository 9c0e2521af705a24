"""Reads what a caller gives as the inputs of a model."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from tvm_patdnn.errors import LibraryError

__all__ = ["example", "numbers_of", "require_mapping"]


def require_mapping(inputs: object, names: Collection[str]) -> None:
    """Checks that inputs are given by name.

    Raises:
        LibraryError: they are not.
    """
    if not isinstance(inputs, Mapping):
        raise LibraryError(
            f"inputs: got {type(inputs).__name__}, expected a dict of arrays by name, of "
            f"{list(names)}; give {example(names)}, or call the model with arrays in this order"
        )


def example(names: Collection[str]) -> str:
    """What a caller should write as the inputs of ``run``."""
    return "{" + ", ".join(f"{name!r}: array" for name in names) + "}"


def numbers_of(name: str, value: object) -> np.ndarray:
    """Returns the input as an array, of whatever shape and dtype it has.

    Raises:
        LibraryError: it is not an array, nor anything that numpy makes one of.
    """
    try:
        array = np.asarray(value)
    except Exception as error:  # numpy asks the value itself, which may raise anything
        raise LibraryError(
            f"input '{name}': is not an array ({type(value).__name__}: {error}); give a "
            "numpy.ndarray"
        ) from error
    if array.dtype.kind in "OUSmMc":  # bfloat16 and its kin are of kind V
        raise LibraryError(
            f"input '{name}': got {type(value).__name__} of dtype {array.dtype}, expected numbers; "
            "give a numpy.ndarray"
        )
    return array
