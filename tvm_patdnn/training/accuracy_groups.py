"""Groups rows of training runs that differ in their seed only, and compares the groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, stdev

from tvm_patdnn.training.rows import TrainRow

__all__ = [
    "Group",
    "configuration",
    "constraint_findings",
    "find_groups",
    "rate_text",
    "signed",
    "spread",
    "subject",
    "tell_apart",
]

_NAMES = {
    "dense": "dense, trained on",
    "oneshot": "one-shot magnitude",
    "gradual": "gradual magnitude (cubic)",
    "admm": "ADMM",
    "reweighted": "reweighted penalty",
    "unstructured": "unstructured magnitude",
    "filter": "filter pruning",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Group:
    """Runs that differ in their seed only.

    Attributes:
        rows: of different seeds.
        against: top-1 minus that of the dense network of the same seed after as many
            epochs, trained without a teacher, of the seeds that have one.
    """

    rows: Sequence[TrainRow]
    against: Sequence[float]

    @property
    def first(self) -> TrainRow:
        """One of the rows, for what they have in common."""
        return self.rows[0]

    @property
    def top1(self) -> list[float]:
        """At the end, in percent, of each run."""
        return [row.top1_pruned for row in self.rows]

    @property
    def compression_macs(self) -> float:
        """Mean over the runs."""
        return mean(row.compression_macs for row in self.rows)

    @property
    def name(self) -> str:
        """What the runs did."""
        row = self.first
        extras = [_distillation(row)] if row.distill else []
        extras += [f", {row.scope}"] if row.scope != "layer" and _has_scope(row) else []
        extras += [f", {_blocks(row)}"] if _has_blocks(row) else []
        extras += [", rates by layer"] if row.rates else []
        extras += [_rewound(row)] if row.rewind is not None else []
        return _NAMES.get(row.method, row.method) + "".join(extras)


def subject(row: TrainRow) -> tuple[str, str, int, int]:
    """Returns what rows of one section of the report have in common."""
    return row.network, row.data, row.train_images, row.epochs


def configuration(row: TrainRow) -> tuple[object, ...]:
    """Returns what makes two runs on the same subject different, but for the seed."""
    amount = (row.patterns, row.entries, row.connectivity, tuple(row.rates.items()))
    pruning = (row.scope, row.filter_block, row.filter_grouping, *amount)
    phases = (
        row.dense_epochs,
        row.prune_epochs,
        row.retrain_epochs,
        row.distill,
        row.teacher,
        row.rewind,
    )
    if row.method == "dense":
        return (row.method, *phases)
    return (row.method, *pruning, *phases, *sorted(map(str, row.settings.items())))


def find_groups(rows: Sequence[TrainRow]) -> list[Group]:
    """Groups the rows of one subject, by compression and then by top-1."""
    plain = [row for row in rows if row.method == "dense" and not row.distill]
    control = {row.seed: row.top1_pruned for row in plain}
    by_configuration: dict[tuple[object, ...], list[TrainRow]] = {}
    for row in rows:
        by_configuration.setdefault(configuration(row), []).append(row)
    groups = [
        Group(
            rows=sorted(found, key=lambda row: row.seed),
            against=[r.top1_pruned - control[r.seed] for r in found if r.seed in control],
        )
        for found in by_configuration.values()
    ]
    return sorted(
        groups,
        key=lambda g: (-round(g.compression_macs, 1) * (g.first.method != "dense"), -mean(g.top1)),
    )


def constraint_findings(groups: Sequence[Group]) -> list[str]:
    """Compares balanced connectivity and blocks of filters with free kernels, all else equal."""
    lines = []
    for group in groups:
        row = group.first
        free = next((other for other in groups if _is_free(row, other.first)), None)
        if free is None:
            continue
        pairs = _paired(group, free)
        constraint = _blocks(row).capitalize() if _has_blocks(row) else "Balanced"
        lines += [
            f"{constraint} against free connectivity ({_NAMES[row.method]}, {rate_text(row)}): "
            f"{signed(pairs)} points of top-1 over {len(pairs)} seeds.",
            "",
        ]
    return lines


def _is_free(row: TrainRow, other: TrainRow) -> bool:
    """Whether ``other`` is without the one constraint that ``row`` has."""
    keys = (
        *("method", "patterns", "entries", "connectivity", "distill", "teacher", "rewind"),
        *("settings", "rates"),
    )
    constraints = (row.scope == "balanced" and _has_scope(row), _has_blocks(row))
    return (
        sum(constraints) == 1
        and (other.scope, other.filter_block) == ("layer", 1)
        and all(getattr(row, key) == getattr(other, key) for key in keys)
    )


def _paired(group: Group, other: Group) -> list[float]:
    by_seed = {row.seed: row.top1_pruned for row in other.rows}
    return [r.top1_pruned - by_seed[r.seed] for r in group.rows if r.seed in by_seed]


def rate_text(row: TrainRow) -> str:
    """Returns how much connectivity was pruned."""
    if row.rates:
        return "by layer"
    return f"{row.connectivity:g}x" if row.connectivity > 1 else "patterns only"


def _distillation(row: TrainRow) -> str:
    return " with distillation" + (f" from {row.teacher}" if row.teacher else "")


def _rewound(row: TrainRow) -> str:
    fresh = ", retrained from fresh weights"
    return fresh if row.rewind == "fresh" else f", retrained from epoch {row.rewind}"


def _has_scope(row: TrainRow) -> bool:
    return row.method not in ("dense", "filter") and (row.connectivity > 1 or bool(row.rates))


def _has_blocks(row: TrainRow) -> bool:
    return row.method not in ("dense", "filter", "unstructured") and row.filter_block > 1


def _blocks(row: TrainRow) -> str:
    similar = "similar " if row.filter_grouping == "similar" else ""
    return f"blocks of {row.filter_block} {similar}filters"


def tell_apart(groups: Sequence[Group]) -> list[str]:
    """Returns the groups' names, with the settings in which those of one name differ."""
    names = []
    for group in groups:
        peers = [g for g in groups if (g.name, _rate_key(g)) == (group.name, _rate_key(group))]
        own = _details(group.first)
        others = [_details(peer.first) for peer in peers]
        differing = [key for key in own if any(o.get(key) != own[key] for o in others)]
        told = ", ".join(f"{key.replace('_', ' ')} {own[key]}" for key in differing)
        names.append(f"{group.name} ({told})" if told else group.name)
    return names


def spread(values: Sequence[float]) -> str:
    """Returns mean and standard deviation."""
    return f"{mean(values):.2f}{_deviation(values)}"


def signed(values: Sequence[float]) -> str:
    """Returns mean and standard deviation of differences."""
    return f"{mean(values):+.2f}{_deviation(values)}" if values else "not measured"


def _deviation(values: Sequence[float]) -> str:
    return f" ± {stdev(values):.2f}" if len(values) > 1 else ""


def _rate_key(group: Group) -> tuple[object, ...]:
    return group.first.connectivity, bool(group.first.rates)


def _details(row: TrainRow) -> dict[str, object]:
    named = ("patterns", "entries", "dense_epochs", "prune_epochs", "retrain_epochs", "distill")
    return {**{name: getattr(row, name) for name in named}, **row.settings}
