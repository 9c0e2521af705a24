"""Keeps what became of each convolution with the module, as an attribute."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict

import tvm

from tvm_patdnn.layer_report import LayerReport

__all__ = ["LAYERS_ATTRIBUTE", "reported_layers", "with_layers"]

LAYERS_ATTRIBUTE = "tvm_patdnn.layers"


def with_layers(mod: tvm.IRModule, rows: Iterable[LayerReport]) -> tvm.IRModule:
    """Returns ``mod`` with the rows of the report."""
    return mod.with_attr(LAYERS_ATTRIBUTE, json.dumps([asdict(row) for row in rows]))


def reported_layers(mod: tvm.IRModule) -> Sequence[LayerReport]:
    """Returns the rows that ``with_layers`` gave to the module."""
    return [LayerReport(**row) for row in json.loads(mod.attrs[LAYERS_ATTRIBUTE])]
