"""Reads off an imported module what its outputs are."""

from __future__ import annotations

from collections.abc import Sequence

import tvm
from tvm import relax

from tvm_patdnn.tensor_spec import TensorSpec

__all__ = ["output_specs"]

_UNKNOWN = -1


def output_specs(module: tvm.IRModule, names: Sequence[str]) -> dict[str, TensorSpec]:
    """Returns shape and dtype of each output of "main"; a size that only the data tell is -1."""
    result = module["main"].ret_ty
    kinds = [result] if isinstance(result, relax.TensorType) else result.fields
    return {name: _spec(kind) for name, kind in zip(names, kinds, strict=True)}


def _spec(kind: relax.TensorType) -> TensorSpec:
    if isinstance(kind.shape, relax.ShapeExpr):
        sizes = [int(getattr(size, "value", _UNKNOWN)) for size in kind.shape.values]
    else:
        sizes = [_UNKNOWN] * max(kind.ndim, 0)
    return TensorSpec(tuple(sizes), str(kind.dtype))
