"""What was measured of one task so far, in order."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from tvm_patdnn.records.families import Configuration
from tvm_patdnn.records.tuning_records import Record

__all__ = ["History"]


@dataclass
class History:
    """The trials of one task.

    Attributes:
        seconds: of each configuration, infinite where it failed.
    """

    seconds: dict[Configuration, float] = field(default_factory=dict)
    _improved: int = 0

    @classmethod
    def of(cls, records: Iterable[Record]) -> History:
        """Returns the history that records tell."""
        history = cls()
        for record in records:
            if not record.chosen:
                history.add(record.configuration, record.seconds)
        return history

    def __len__(self) -> int:
        return len(self.seconds)

    def add(self, configuration: Configuration, seconds: float | None) -> None:
        """Adds a trial; of several of one configuration, the fastest counts."""
        before = self.best
        time = math.inf if seconds is None else seconds
        self.seconds[configuration] = min(time, self.seconds.get(configuration, math.inf))
        if time < before * (1 - _CLEAR):
            self._improved = len(self)

    @property
    def best(self) -> float:
        """Seconds of the fastest; infinite where nothing ran."""
        return min(self.seconds.values(), default=math.inf)

    @property
    def since_improved(self) -> int:
        """Trials since the best was clearly beaten."""
        return len(self) - self._improved

    def fastest(self, count: int) -> list[Configuration]:
        """Returns the fastest that ran."""
        ran = [each for each in self.seconds.items() if each[1] < math.inf]
        return [point for point, _ in sorted(ran, key=lambda each: each[1])[:count]]


_CLEAR = 0.01
