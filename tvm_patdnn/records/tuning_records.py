"""What was measured of kernels: a record is one trial of one configuration of one layer.

``build`` computes a layer as the records for it say; layers without records get the schedule of
a similar layer that was measured, or that of the cost model.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tvm_patdnn.records.families import FAMILIES, Configuration
from tvm_patdnn.records.tuning_key import TuningKey, distance

__all__ = ["FORMAT", "Record", "Records", "record_line", "record_of"]

FORMAT = 4  # raised when the meaning of a field changes
SIMILAR = 2.0  # the largest distance of a layer whose schedule is tried


@dataclass(frozen=True, kw_only=True)
class Record:
    """One trial.

    Attributes:
        version: of the family of kernels.
        seconds: median latency of the layer; None where the trial failed.
        error: why it failed.
        chosen: this decides for its layer, whatever trials say: the winner when it was measured
            again, or what is the fastest in the network. Without seconds it decides against all
            that skips pruned work, or all that does not, as ``sparse`` says.
        at: seconds since 1970; of several that decide, the last does.
        features: what the learned cost model knows of it, by name.
        layers: names of the layers of a network that it was measured for, for people.
    """

    key: TuningKey
    version: int
    configuration: Configuration
    seconds: float | None
    error: str = ""
    chosen: bool = False
    at: float = 0.0
    features: Mapping[str, float] = field(default_factory=dict, compare=False)
    layers: tuple[str, ...] = field(default=(), compare=False)

    @property
    def sparse(self) -> bool:
        """Whether pruned work was skipped."""
        return self.configuration.sparse


class Records:
    """Records of the current versions, by what they are of."""

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self._best: dict[tuple[TuningKey, bool], Record] = {}
        self._trials: dict[TuningKey, list[Record]] = defaultdict(list)
        for record in records:
            self.add(record)

    def __bool__(self) -> bool:
        return bool(self._trials)

    def add(self, record: Record) -> None:
        """Adds a record."""
        self._trials[record.key].append(record)
        place = (record.key, record.sparse)
        counts = record.chosen or record.seconds is not None
        if counts and _decides(record, self._best.get(place)):
            self._best[place] = record

    def layers(self) -> list[TuningKey]:
        """Returns what there are records of."""
        return list(self._trials)

    def trials(self, key: TuningKey) -> list[Record]:
        """Returns all records of a layer, in the order in which they were read."""
        return list(self._trials.get(key, ()))

    def of_family(self, family: str) -> list[Record]:
        """Returns all records of one family of kernels, of any layers and CPUs."""
        return [r for key, trials in self._trials.items() if key.family == family for r in trials]

    def best(self, key: TuningKey, *, sparse: bool) -> Record | None:
        """Returns the record that decides for a layer."""
        record = self._best.get((key, sparse))
        return record if record is not None and record.seconds is not None else None

    def refusal(self, key: TuningKey, *, sparse: bool) -> Record | None:
        """Returns the record that decides against one of the two ways, where there is another."""
        record = self._best.get((key, sparse))
        refused = record is not None and record.seconds is None
        return record if refused and self.best(key, sparse=not sparse) is not None else None

    def similar(self, key: TuningKey, *, sparse: bool) -> list[Record]:
        """Returns what decides for similar layers on the same CPU, the most similar first."""
        scored = [
            (distance(key, other), record)
            for (other, is_sparse), record in self._best.items()
            if is_sparse == sparse and other != key and record.seconds is not None
        ]
        near = [pair for pair in scored if pair[0] <= SIMILAR]
        return [record for _, record in sorted(near, key=lambda pair: pair[0])]


def _decides(record: Record, before: Record | None) -> bool:
    if before is None or record.chosen != before.chosen:
        return before is None or record.chosen
    if record.chosen:
        return record.at >= before.at
    return (record.seconds or math.inf) < (before.seconds or math.inf)


def record_line(record: Record) -> str:
    """Returns the record as a line of JSON."""
    return json.dumps(
        {
            "format": FORMAT,
            **asdict(record.key),
            "version": record.version,
            "configuration": record.configuration.to_json(),
            "seconds": record.seconds,
            **({"error": record.error} if record.error else {}),
            **({"chosen": True} if record.chosen else {}),
            "at": record.at,
            "features": dict(record.features),
            **({"layers": record.layers} if record.layers else {}),
        }
    )


def record_of(values: Mapping[str, Any]) -> Record | None:
    """Reads what ``record_line`` wrote; None for another version, or an unknown family.

    Raises:
        ValueError, KeyError, TypeError: it is something else.
    """
    fields = dict(values)
    if fields.pop("format", None) != FORMAT:
        raise ValueError("another format")
    names = ("family", "workload", "layout", "lanes", "threads", "cpu")
    key = TuningKey(**{name: fields.pop(name) for name in names})
    family = FAMILIES.get(key.family)
    if family is None or fields["version"] != family.version:
        return None
    fields["configuration"] = family.configuration.from_json(fields["configuration"])
    fields["layers"] = _names(fields.pop("layers", []))
    record = Record(key=key, **fields)
    _check_values(record)
    return record


def _names(stored: Any) -> tuple[str, ...]:
    if type(stored) is not list or not all(type(name) is str for name in stored):
        raise ValueError(f"layers is {stored!r}, expected a list of names")
    return tuple(stored)


def _check_values(record: Record) -> None:
    for name, kind in {"error": str, "chosen": bool, "features": dict}.items():
        if type(getattr(record, name)) is not kind:
            raise ValueError(f"{name} is {getattr(record, name)!r}, expected a {kind.__name__}")
    for name in ("at", "seconds"):
        _check_number(name, getattr(record, name), zero=name == "at")
    if not all(type(v) in (int, float) and 0 <= v < math.inf for v in record.features.values()):
        for name, value in record.features.items():
            _check_number(name, value, zero=True)


def _check_number(name: str, value: Any, *, zero: bool) -> None:
    if name == "seconds" and value is None:
        return
    is_number = type(value) in (int, float)
    if not is_number or not (0 if zero else 1e-12) <= value < math.inf:
        raise ValueError(f"{name} is {value!r}, expected a positive number")
