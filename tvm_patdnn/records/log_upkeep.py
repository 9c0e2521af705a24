"""What is kept of logs: summaries, what decides, several in one, and less of one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tvm_patdnn.records.tuning_key import TuningKey
from tvm_patdnn.records.tuning_records import Record, Records

__all__ = ["Summary", "deciding", "pruned", "summaries", "united", "winner"]


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a log has of one layer.

    Attributes:
        layers: names that it has in the networks it was measured for.
        best: what decides; None where every trial failed.
    """

    key: TuningKey
    layers: tuple[str, ...]
    trials: int
    failures: int
    best: Record | None


def summaries(records: Iterable[Record]) -> list[Summary]:
    """Returns a summary of each layer, in the order of the log."""
    found = Records(records)
    return [_summary(key, found) for key in found.layers()]


def _summary(key: TuningKey, found: Records) -> Summary:
    trials = found.trials(key)
    return Summary(
        key=key,
        layers=tuple(dict.fromkeys(name for record in trials for name in record.layers)),
        trials=len(trials),
        failures=sum(record.seconds is None and not record.chosen for record in trials),
        best=winner(key, found),
    )


def winner(key: TuningKey, found: Records) -> Record | None:
    """Returns what decides between pruned work skipped and not; None where nothing ran."""
    each = [found.best(key, sparse=sparse) for sparse in (False, True)]
    return min((r for r in each if r is not None), key=lambda r: r.seconds or 0, default=None)


def deciding(records: Iterable[Record]) -> list[Record]:
    """Returns the records by which layers are built: at most two of each, sparse and dense."""
    found = Records(records)
    each = (
        of(key, sparse=sparse)
        for key in found.layers()
        for sparse in (False, True)
        for of in (found.best, found.refusal)
    )
    return [record for record in each if record is not None]


def united(logs: Iterable[Iterable[Record]]) -> Iterator[Record]:
    """Yields the records of several logs, each once."""
    seen: set[Record] = set()
    for log in logs:
        for record in log:
            if record not in seen:
                seen.add(record)
                yield record


def pruned(records: Iterable[Record], keep: int) -> list[Record]:
    """Returns what decides, and ``keep`` trials of each layer that ran, in their order.

    Half of them are the fastest, the others are spread evenly over the rest: a cost model that
    learned from the fastest alone ranks what it has not seen worse.
    """
    everything = list(records)
    kept = set(deciding(everything))
    found = Records(everything)
    for key in found.layers():
        timed = [r for r in found.trials(key) if r.seconds is not None and not r.chosen]
        kept.update(_spread(sorted(timed, key=lambda record: record.seconds or 0), keep))
    return [record for record in everything if record in kept]


def _spread(fastest_first: Sequence[Record], keep: int) -> list[Record]:
    front = -(-keep // 2)
    rest, more = fastest_first[front:], keep - front
    if len(rest) <= more:
        return list(fastest_first)
    last = len(rest) - 1
    return [*fastest_first[:front], *(rest[last * (i + 1) // more] for i in range(more))]
