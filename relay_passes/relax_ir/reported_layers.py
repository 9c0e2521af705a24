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
    """Returns ``mod`` with rows of the report, behind those that it has."""
    all_rows = [asdict(row) for row in (*reported_layers(mod), *rows)]
    return mod.with_attr(LAYERS_ATTRIBUTE, json.dumps(all_rows))


def reported_layers(mod: tvm.IRModule) -> Sequence[LayerReport]:
    """Returns the rows that ``with_layers`` gave to the module, if any."""
    rows = mod.attrs[LAYERS_ATTRIBUTE] if mod.attrs and LAYERS_ATTRIBUTE in mod.attrs else "[]"
    return [LayerReport(**row) for row in json.loads(rows)]
