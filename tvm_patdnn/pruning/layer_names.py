"""Finds the layers that options name, with wildcards."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from tvm_patdnn.errors import PruningError
from tvm_patdnn.pruning.conv_layers import ConvLayer

__all__ = ["check_names", "is_named", "named_rate"]

_NAMES_SHOWN = 20


def is_named(layer: ConvLayer, names: Iterable[str]) -> bool:
    """Tells whether one of ``names``, wildcards (``*``, ``?``, ``[ab]``) too, is the layer's."""
    return any(_matches(layer, name) for name in names)


def named_rate(layer: ConvLayer, rates: Mapping[str, float]) -> tuple[float | None, bool]:
    """Looks up the rate that a layer is given.

    Returns:
        The rate by its full name, else by the first wildcard that fits, else None; and whether
        the layer was called by its full name.
    """
    for name, rate in rates.items():
        if name in layer.names:
            return rate, True
    return next((rate for name, rate in rates.items() if _matches(layer, name)), None), False


def check_names(layers: Sequence[ConvLayer], option: str, names: Iterable[str]) -> None:
    """Checks that each name or wildcard stands for a layer.

    Raises:
        PruningError: one does not.
    """
    for name in names:
        if not any(_matches(layer, name) for layer in layers):
            raise PruningError(
                f"{option}: the model has no convolution {name!r}; {_hint(name, layers)}"
            )


def _matches(layer: ConvLayer, name: str) -> bool:
    return name in layer.names or any(fnmatchcase(each, name) for each in layer.names)


def _hint(name: str, layers: Sequence[ConvLayer]) -> str:
    """Suggests what a wrong layer name may stand for."""
    near = difflib.get_close_matches(name, [n for layer in layers for n in layer.names], n=1)
    if near:
        return f"did you mean {near[0]!r}"
    names = ", ".join(layer.name for layer in layers[:_NAMES_SHOWN]) or "none"
    return f"it has {names}{', ...' if len(layers) > _NAMES_SHOWN else ''}"
