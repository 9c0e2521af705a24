"""What makes two runs on the same subject different, but for the seed and the machine."""

from __future__ import annotations

from tvm_patdnn.training.rows import TrainRow

__all__ = [
    "attributes",
    "configuration",
    "has_blocks",
    "has_scope",
    "other_settings",
    "pair_key",
    "subject",
    "taught_while_pruning",
]

_OF_THE_MACHINE = ("precision",)
_ATTRIBUTES = ("distill_pruning",)
_WITHOUT_PATTERNS = ("dense", "filter", "unstructured")


def subject(row: TrainRow) -> tuple[str, str, int, int]:
    """Returns what rows of one section of the report have in common."""
    return row.network, row.data, row.train_images, row.epochs


def pair_key(row: TrainRow) -> tuple[int, str]:
    """Returns what rows must have in common to be compared: they are of one seed and machine."""
    return row.seed, row.device


def attributes(row: TrainRow) -> dict[str, object]:
    """Returns what was chosen for a run, by name; what has no effect has its default."""
    dense = row.method == "dense"
    return {
        "method": row.method,
        "epochs": (row.dense_epochs, row.prune_epochs, row.retrain_epochs),
        "teacher": (row.distill, row.teacher),
        "taught while pruning": taught_while_pruning(row),
        "rewind": row.rewind,
        "patterns": None if dense else (row.patterns, row.entries),
        "connectivity": 1.0 if dense else row.connectivity,
        "rates": () if dense else tuple(row.rates.items()),
        "scope": row.scope if has_scope(row) else "layer",
        "blocks": (row.filter_block, row.filter_grouping) if has_blocks(row) else (1, "neighbours"),
        "settings": () if dense else tuple(sorted(other_settings(row).items())),
    }


def other_settings(row: TrainRow) -> dict[str, str]:
    """Returns what is not of the machine, an attribute of its own, or switched off.

    Rows from before a setting lack what is switched off.
    """
    named = (*_OF_THE_MACHINE, *_ATTRIBUTES)
    return {k: str(v) for k, v in row.settings.items() if k not in named and v is not False}


def configuration(row: TrainRow) -> tuple[object, ...]:
    """Returns the same in a form that can be a key."""
    return tuple(attributes(row).values())


def taught_while_pruning(row: TrainRow) -> bool:
    """Whether the teacher teaches in the pruning phase, too, and not in retraining only."""
    return row.method != "dense" and bool(row.settings.get("distill_pruning"))


def has_scope(row: TrainRow) -> bool:
    """Whether kernels compete for being kept."""
    return row.method not in ("dense", "filter") and (row.connectivity > 1 or bool(row.rates))


def has_blocks(row: TrainRow) -> bool:
    """Whether filters are pruned in blocks."""
    return row.method not in _WITHOUT_PATTERNS and row.filter_block > 1
