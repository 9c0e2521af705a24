"""Compares what a built library computes with ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

import numpy as np

from tvm_patdnn.error_lines import first_line
from tvm_patdnn.errors import BuildError
from tvm_patdnn.evaluation.random_inputs import random_inputs

__all__ = ["Runnable", "require_reference", "verify"]

Runnable = Any  #: a ``StandaloneModel`` or a ``RunnableModel``

# Float32 sums in another order differ by some 1e-6, through deep networks 1e-5. Each tensor that is
# stored in float16 is rounded by up to 5e-4; all of an 18-layer network's together came to 3e-4.
_ALLOWED = {"float32": 1e-3, "float16": 1e-2}


def require_reference() -> None:
    """Checks that ONNX Runtime is installed.

    Raises:
        BuildError: it is not.
    """
    if find_spec("onnxruntime") is None:
        raise BuildError(
            "verify: compares with ONNX Runtime, which is not installed; "
            "install it with: pip install onnxruntime"
        )


def verify(model: Runnable, source: str | bytes, storage: str = "float32") -> dict[str, float]:
    """Runs both on the same made-up inputs.

    Args:
        model: what was built.
        source: the ONNX file, or its bytes.
        storage: of the tensors between inputs and outputs: "float32" or "float16".

    Returns:
        The largest difference of each output, relative to its largest value.

    Raises:
        BuildError: one is larger than 0.001 (float16: 0.01), or ONNX Runtime does not run the
            model.
    """
    inputs = random_inputs(model.metadata.inputs)
    expected = _reference(source, inputs)
    outputs = model.run(inputs)
    found = {name: _difference(outputs[name], expected[name]) for name in outputs}
    for name, difference in found.items():
        if not difference <= _ALLOWED[storage]:
            raise BuildError(
                f"verify: output '{name}' differs from ONNX Runtime's by {difference:.1g} of its "
                f"largest value; expected at most {_ALLOWED[storage]:g}; the library was written, "
                "but do not use it, and please report this"
            )
    return found


def _reference(source: str | bytes, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    import onnxruntime

    try:
        session = onnxruntime.InferenceSession(source, providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, dict(inputs)), strict=True))
    except Exception as error:  # its own classes have no public common base
        first = first_line(error)
        raise BuildError(f"verify: ONNX Runtime does not run the model: {first}") from error


def _difference(found: np.ndarray, expected: np.ndarray) -> float:
    if found.shape != expected.shape or not np.array_equal(_odd(found), _odd(expected)):
        return float("inf")
    wide, reference = (np.nan_to_num(a.astype(np.float64)) for a in (found, expected))
    apart = np.abs(wide - reference).max(initial=0)
    return float(apart / max(np.abs(reference).max(initial=0), 1e-30))


def _odd(array: np.ndarray) -> np.ndarray:
    """Marks what is not a number, and the infinite: 0 for others, of any kind."""
    if array.dtype.kind != "f":
        return np.zeros(array.shape)
    return np.where(np.isnan(array), 2, np.where(np.isinf(array), np.sign(array), 0))
