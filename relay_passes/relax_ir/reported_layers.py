"""Keeps what became of each convolution with the module, as an attribute."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import tvm

from tvm_patdnn.layer_report import LayerReport

__all__ = ["LAYERS_ATTRIBUTE", "noted", "reported_layers", "with_layers", "with_notes"]

LAYERS_ATTRIBUTE = "tvm_patdnn.layers"
NOTES_ATTRIBUTE = "tvm_patdnn.notes"


def with_layers(mod: tvm.IRModule, rows: Iterable[LayerReport]) -> tvm.IRModule:
    """Returns ``mod`` with rows of the report, behind those that it has."""
    all_rows = [asdict(row) for row in (*reported_layers(mod), *noted(mod, rows))]
    return mod.with_attr(LAYERS_ATTRIBUTE, json.dumps(all_rows))


def reported_layers(mod: tvm.IRModule) -> Sequence[LayerReport]:
    """Returns the rows that ``with_layers`` gave to the module, if any."""
    return [LayerReport(**row) for row in _read(mod, LAYERS_ATTRIBUTE) or []]


def with_notes(mod: tvm.IRModule, notes: Mapping[str, str]) -> tvm.IRModule:
    """Returns ``mod`` with what is to be added to the reason of layers, by their names."""
    return mod.with_attr(NOTES_ATTRIBUTE, json.dumps(dict(notes)))


def noted(mod: tvm.IRModule, rows: Iterable[LayerReport]) -> list[LayerReport]:
    """Returns the rows with the notes that ``with_notes`` gave to the module."""
    notes = _read(mod, NOTES_ATTRIBUTE) or {}
    return [
        replace(row, reason=f"{row.reason}; {notes[row.name]}") if row.name in notes else row
        for row in rows
    ]


def _read(mod: tvm.IRModule, attribute: str) -> Any:
    return json.loads(mod.attrs[attribute]) if mod.attrs and attribute in mod.attrs else None
