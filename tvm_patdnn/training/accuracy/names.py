"""What runs did, in words."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

from tvm_patdnn.training.accuracy.configuration import (
    has_blocks,
    has_scope,
    other_settings,
    taught_while_pruning,
)
from tvm_patdnn.training.rows import TrainRow

__all__ = ["METHODS", "blocks_text", "name", "rate_text", "rewind_text", "tell_apart"]

METHODS = {
    "dense": "dense, trained on",
    "oneshot": "one-shot magnitude",
    "gradual": "gradual magnitude (cubic)",
    "admm": "ADMM",
    "reweighted": "reweighted penalty",
    "unstructured": "unstructured magnitude",
    "filter": "filter pruning",
}
_NEIGHBOURS = 8  # of the centre of a 3x3 kernel


def name(row: TrainRow) -> str:
    """Returns the method with all that is not the usual."""
    parts = [METHODS.get(row.method, row.method)]
    if row.distill:
        parts[0] += " with distillation" + (f" from {row.teacher}" if row.teacher else "")
    if taught_while_pruning(row):
        parts[0] += " while pruning, too"
    if has_scope(row) and row.scope != "layer":
        parts.append(row.scope)
    if has_blocks(row):
        parts.append(blocks_text(row))
    if row.method != "dense" and row.patterns == comb(_NEIGHBOURS, row.entries - 1):
        parts.append(f"all {row.patterns} patterns")
    if row.rates:
        parts.append("rates by layer")
    if row.rewind is not None:
        parts.append(rewind_text(row))
    return ", ".join(parts)


def rate_text(row: TrainRow) -> str:
    """Returns how much connectivity was pruned."""
    if row.method == "dense":
        return ""
    if row.rates:
        return "by layer"
    return f"{row.connectivity:g}x" if row.connectivity > 1 else "patterns only"


def blocks_text(row: TrainRow) -> str:
    """Returns which filters were pruned as one."""
    similar = "similar " if row.filter_grouping == "similar" else ""
    return f"blocks of {row.filter_block} {similar}filters"


def rewind_text(row: TrainRow) -> str:
    """Returns what was retrained."""
    where = "fresh weights" if row.rewind == "fresh" else f"epoch {row.rewind}"
    return f"retrained from {where}"


def tell_apart(rows: Sequence[TrainRow]) -> list[str]:
    """Returns the names of rows, with the settings in which those of one name differ."""
    names = []
    for row in rows:
        peers = [peer for peer in rows if _looks(peer) == _looks(row)]
        own, others = _details(row), [_details(peer) for peer in peers]
        differing = [key for key in own if any(o.get(key) != own[key] for o in others)]
        told = ", ".join(f"{key.replace('_', ' ')} {own[key]}" for key in differing)
        names.append(f"{name(row)} ({told})" if told else name(row))
    return names


def _looks(row: TrainRow) -> tuple[str, str]:
    return name(row), rate_text(row)


def _details(row: TrainRow) -> dict[str, object]:
    named = ("patterns", "entries", "dense_epochs", "prune_epochs", "retrain_epochs", "distill")
    return {**{each: getattr(row, each) for each in named}, **other_settings(row)}
