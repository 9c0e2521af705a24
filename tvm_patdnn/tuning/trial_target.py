"""A target as processes that build kernels get it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tvm.target import Target

__all__ = ["target_config"]


def target_config(target: Target) -> dict[str, Any]:
    """Returns the target as plain values, as JSON has them, without what TVM derives by itself."""
    return _plain_map(target.export())


def _plain_map(values: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        str(name): _plain(value)
        for name, value in values.items()
        if not str(name).startswith("feature.") and (name != "tag" or value)
    }


def _plain(value: Any) -> Any:
    if isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return str(value)
    return _plain_map(value) if isinstance(value, Mapping) else [str(each) for each in value]
