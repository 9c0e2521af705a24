"""Says what to install where torch is missing."""

from __future__ import annotations

from importlib.util import find_spec

from tvm_patdnn.errors import TrainingError

__all__ = ["require_torch"]


def require_torch() -> None:
    """Checks that torch can be imported, without importing it.

    Raises:
        TrainingError: it is not installed.
    """
    if find_spec("torch") is None:
        raise TrainingError(
            "training needs torch, which is not installed; "
            "install it with: pip install 'tvm-patdnn[train]'"
        )
