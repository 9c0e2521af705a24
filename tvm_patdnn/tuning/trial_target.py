"""A target as processes that build kernels get it."""

from __future__ import annotations

from typing import Any

from tvm.target import Target

__all__ = ["target_config"]


def target_config(target: Target) -> dict[str, Any]:
    """Returns the target as plain values, without what TVM derives by itself."""
    config = {}
    for name, value in target.export().items():
        if not str(name).startswith("feature.") and (name != "tag" or value):
            config[str(name)] = _plain(value)
    return config


def _plain(value: Any) -> Any:
    if isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return str(value)
    return tuple(str(each) for each in value)
