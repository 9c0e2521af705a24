"""Checks what a model is given against what it was built for."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from tvm_patdnn.errors import LibraryError
from tvm_patdnn.library.input_arrays import example, numbers_of, require_mapping
from tvm_patdnn.tensor_spec import TensorSpec

__all__ = ["check_input_names", "checked_inputs"]


def checked_inputs(
    known: Mapping[str, TensorSpec], inputs: Mapping[str, np.ndarray]
) -> list[np.ndarray]:
    """Returns the inputs as dense arrays, in the order of ``known``.

    Raises:
        LibraryError: an input is missing, unknown, or of another shape or dtype.
    """
    require_mapping(inputs, list(known))
    check_input_names(known, inputs)
    return [_checked(name, spec, numbers_of(name, inputs[name])) for name, spec in known.items()]


def check_input_names(known: Collection[str], names: Collection[str]) -> None:
    """Checks that ``names`` are those of the inputs.

    Raises:
        LibraryError: one is missing or unknown.
    """
    unknown = [name for name in names if name not in known]
    missing = [name for name in known if name not in names]
    if unknown or missing:
        raise LibraryError(
            f"inputs: got {sorted(map(str, names))}, expected {sorted(known)}"
            + (f"; missing: {missing}" if missing else "")
            + (f"; unknown: {unknown}" if unknown else "")
            + f"; give {example(known)}"
        )


def _checked(name: str, spec: TensorSpec, array: np.ndarray) -> np.ndarray:
    same_shape, same_dtype = array.shape == tuple(spec.shape), str(array.dtype) == spec.dtype
    if not (same_shape and same_dtype):
        remedies = [
            *([] if same_dtype else [f"convert it with .astype('{spec.dtype}')"]),
            *([] if same_shape else ["reshape it, or build for this shape with input_shapes"]),
        ]
        raise LibraryError(
            f"input '{name}': got {array.dtype} of shape {list(array.shape)}, expected "
            f"{spec.dtype} of shape {list(spec.shape)}; {'; '.join(remedies)}"
        )
    return np.asarray(array, order="C")
