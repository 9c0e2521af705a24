"""Tunes the layers of a network: trials go where the network's time is, until nothing improves."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tvm_patdnn.records.families import FAMILIES, Configuration
from tvm_patdnn.records.record_files import append_records
from tvm_patdnn.records.tuning_records import Record, Records
from tvm_patdnn.tuning.history import History
from tvm_patdnn.tuning.measure_trials import Measured
from tvm_patdnn.tuning.problem import TuningTask
from tvm_patdnn.tuning.search import Search
from tvm_patdnn.tuning.workshop import Workshop

__all__ = ["TuneOptions", "TunedTask", "Tuner"]

_NOT_AS_FAST = "not as fast in its network"


@dataclass(frozen=True, kw_only=True)
class TuneOptions:
    """How much is measured.

    Attributes:
        trials: of all layers together, those of earlier runs included.
        seconds: after which nothing new is begun.
        batch: trials of a layer between which the search learns.
        patience: a layer is done after as many trials without a clear improvement.
        finalists: that are measured again in the end, in turns, beside the starts.
        final_turns: of these.
    """

    trials: int = 400
    seconds: float | None = None
    batch: int = 16
    patience: int = 48
    finalists: int = 3
    final_turns: int = 31


@dataclass(frozen=True, kw_only=True, eq=False)
class TunedTask:
    """What became of one task.

    Attributes:
        default_s: seconds of the default, measured in turns with the finalists; of the fastest
            where it did not run.
        finalists: seconds of each that ran, the fastest first.
        elsewhere: the same layers in other layouts, where these were measured.
    """

    task: TuningTask
    trials: int
    default_s: float
    finalists: Mapping[Configuration, float]
    elsewhere: Sequence[TunedTask] = ()

    @classmethod
    def of(
        cls,
        task: TuningTask,
        trials: int,
        seconds: Mapping[Configuration, float],
        elsewhere: Sequence[TunedTask] = (),
    ) -> TunedTask:
        """Ranks what ran, by its ``seconds``."""
        ranked = dict(sorted(seconds.items(), key=lambda each: each[1]))
        default = ranked.get(task.space.starts[0], min(ranked.values(), default=math.inf))
        return cls(
            task=task, trials=trials, default_s=default, finalists=ranked, elsewhere=elsewhere
        )

    @property
    def default(self) -> Configuration:
        """What the layers get without a record."""
        return self.task.space.starts[0]

    @property
    def winner(self) -> Configuration:
        """The fastest; the default where none ran."""
        return next(iter(self.finalists), self.default)

    @property
    def best_s(self) -> float:
        """Seconds of the winner."""
        return self.finalists.get(self.winner, math.inf)


@dataclass(eq=False)
class _Course:
    """A task with what was measured of it."""

    task: TuningTask
    history: History
    exhausted: bool = False
    measured: bool = False  # in this run, or nothing was decided by an earlier one

    @classmethod
    def of(cls, task: TuningTask, trials: Sequence[Record]) -> _Course:
        undecided = bool(trials) and not any(record.chosen for record in trials)
        return cls(task, History.of(trials), measured=undecided)

    @property
    def weight(self) -> float:
        """Seconds of the network that are spent in it, as far as is known."""
        seconds = self.history.best
        return len(self.task.layers) * (seconds if seconds < math.inf else 0.0)


class Tuner:
    """Measures the tasks of one network in one workshop, and writes every trial to a log.

    Args:
        search: given all records of a family so far, returns what proposes the next trials.
        log: the file to which records are appended.
        records: of earlier runs, and of other devices; new ones are added.
        progress: told after each trial how many are done, of which task it was, and the seconds
            of the fastest of that task so far.
    """

    def __init__(
        self,
        tasks: Sequence[TuningTask],
        workshop: Workshop,
        search: Callable[[Sequence[Record]], Search],
        *,
        log: Path,
        records: Records,
        options: TuneOptions,
        progress: Callable[[int, TuningTask, float], None] = lambda done, task, best: None,
    ) -> None:
        self._workshop, self._search = workshop, search
        self._log, self._records, self._options = log, records, options
        self._progress = progress
        self._courses = [_Course.of(task, records.trials(task.key)) for task in tasks]
        self._end = math.inf if options.seconds is None else time.monotonic() + options.seconds

    @property
    def is_new(self) -> bool:
        """Whether anything was measured."""
        return any(course.measured for course in self._courses)

    def run(self) -> Iterator[TunedTask]:
        """Searches; then yields each task as its finalists have been compared.

        Raises:
            TuningError: the log cannot be written.
        """
        for each in self._courses:
            missing = [p for p in each.task.space.starts if p not in each.history.seconds]
            if missing:
                self._measure(each, missing)
        while (course := self._next()) is not None:
            left = self._options.trials - self.trials
            search = self._search(self._records.of_family(course.task.key.family))
            count = min(self._options.batch, left)
            points = search.propose(course.task.space, course.history, count)
            course.exhausted = not points
            if points:
                self._measure(course, points)
        for each in self._courses:
            if each.measured:
                yield self._decided(each)

    def _next(self) -> _Course | None:
        """Returns whose turn it is: trials are given out as the network's time is spent."""
        if self.trials >= self._options.trials or time.monotonic() >= self._end:
            return None
        unfinished = [c for c in self._courses if not self._is_done(c)]
        return max(unfinished, key=lambda c: c.weight / (1 + len(c.history)), default=None)

    def _is_done(self, course: _Course) -> bool:
        failing = course.history.best == math.inf
        return (
            course.exhausted or failing or (course.history.since_improved >= self._options.patience)
        )

    @property
    def trials(self) -> int:
        """How many configurations were measured, those of earlier runs included."""
        return sum(len(course.history) for course in self._courses)

    def _measure(self, course: _Course, points: Sequence[Configuration]) -> None:
        course.measured = True
        found = self._workshop.measure(course.task, points)
        for point, measured in zip(points, found, strict=True):
            course.history.add(point, measured.seconds)
            self._write([_record(course.task, point, measured)])
            self._progress(self.trials, course.task, course.history.best)

    def _decided(self, course: _Course) -> TunedTask:
        """Measures the finalists in turns: the luck of one measurement decides nothing."""
        task, options = course.task, self._options
        points = dict.fromkeys([*task.space.starts, *course.history.fastest(options.finalists)])
        ran = [point for point in points if course.history.seconds[point] < math.inf]
        found = self._workshop.measure(task, ran, turns=options.final_turns)
        times = {p: m.seconds for p, m in zip(ran, found, strict=True) if m.seconds is not None}
        tuned = TunedTask.of(task, len(course.history), times, list(self._elsewhere(task, ran)))
        for sparse in (False, True):  # of both kinds, as they are compared with each other
            if first := next((p for p in tuned.finalists if p.sparse == sparse), None):
                measured = Measured(seconds=times[first])
                self._write([_record(task, first, measured, chosen=True)])
        return tuned

    def _elsewhere(
        self, task: TuningTask, finalists: Sequence[Configuration]
    ) -> Iterator[TunedTask]:
        """Measures in a task's other layouts what is chosen there by default, and the finalists."""
        for other in task.elsewhere:
            if time.monotonic() >= self._end:
                return
            known = set(other.space.points)
            fitting = [point for point in finalists if point in known]
            points = list(dict.fromkeys([*other.space.starts, *fitting]))
            found = list(self._workshop.measure(other, points, turns=self._options.final_turns))
            self._write([_record(other, p, m) for p, m in zip(points, found, strict=True)])
            yield self._as_decided(other)

    def decided_before(self) -> list[TunedTask]:
        """Returns the tasks of which nothing was measured in this run, with what the log has."""
        return [self._as_decided(each.task) for each in self._courses if not each.measured]

    def _as_decided(self, task: TuningTask) -> TunedTask:
        history = History.of(self._records.trials(task.key))
        starts = {p: s for p, s in history.seconds.items() if p in task.space.starts}
        found = (self._records.best(task.key, sparse=sparse) for sparse in (False, True))
        best = {r.configuration: r.seconds or math.inf for r in found if r is not None}
        ran = {point: s for point, s in {**starts, **best}.items() if s < math.inf}
        elsewhere = [self._as_decided(other) for other in task.elsewhere]
        return TunedTask.of(task, len(history), ran, elsewhere)

    def decide(self, choices: Mapping[TunedTask, Configuration]) -> None:
        """Decides for what each of some tasks gets, if it ran."""
        self._write(self.decisions(choices))

    def undecide(self, tasks: Sequence[TunedTask]) -> None:
        """Takes back what the log has decided of some tasks."""
        found = [
            self._records.best(each.task.key, sparse=sparse)
            for each in tasks
            for sparse in (False, True)
        ]
        chosen = [record for record in found if record is not None and record.chosen]
        now = round(time.time(), 3)
        self._write([replace(r, seconds=None, error=_NOT_AS_FAST, at=now) for r in chosen])

    def decisions(self, choices: Mapping[TunedTask, Configuration]) -> list[Record]:
        """Returns what a log says where tasks get certain configurations, and no others."""
        return [
            record
            for tuned, point in choices.items()
            if point in tuned.finalists
            for record in _decisions(tuned, point)
        ]

    def _write(self, records: Sequence[Record]) -> None:
        append_records(self._log, records)
        for record in records:
            self._records.add(record)


def _decisions(tuned: TunedTask, point: Configuration) -> Iterator[Record]:
    """Yields the decision for a point, and against what skips pruned work if it does not, or so."""
    yield _record(tuned.task, point, Measured(seconds=tuned.finalists[point]), chosen=True)
    others = (p for p in (*tuned.finalists, *tuned.task.space.starts) if p.sparse != point.sparse)
    if (other := next(others, None)) is not None:
        against = Measured(seconds=None, error=_NOT_AS_FAST)
        yield _record(tuned.task, other, against, chosen=True)


def _record(
    task: TuningTask, point: Configuration, measured: Measured, *, chosen: bool = False
) -> Record:
    return Record(
        key=task.key,
        version=FAMILIES[task.key.family].version,
        configuration=point,
        seconds=measured.seconds,
        error=measured.error,
        chosen=chosen,
        at=round(time.time(), 3),
        features=task.space.describe(point),
        layers=tuple(task.layers),
    )
