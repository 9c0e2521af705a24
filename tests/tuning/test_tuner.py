"""The tuner, with a workshop that knows all times: what it measures, writes and decides."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from tests.records.samples import key_of
from tests.tuning.spaces import BEST, SPACE, seconds_of
from tvm_patdnn.records.record_files import read_log
from tvm_patdnn.records.tuning_records import Records
from tvm_patdnn.tuning.measure_trials import Measured
from tvm_patdnn.tuning.problem import TuningTask
from tvm_patdnn.tuning.search import DefaultSearch, RandomSearch
from tvm_patdnn.tuning.tuner import TuneOptions, Tuner

ONE, TWO = key_of(), key_of(workload="in 2 kernel 1")
ELSEWHERE = key_of(layout="m")


@dataclass
class FakeWorkshop:
    """Takes no time; ``slow`` layers take a multiple."""

    slow: dict[str, float] = field(default_factory=dict)
    failing: frozenset = frozenset()
    asked: list = field(default_factory=list)

    def measure(self, task, points, *, turns=None):
        self.asked.append((task.key, len(points), turns))
        factor = self.slow.get(task.key.workload, 1.0) * self.slow.get(task.key.layout, 1.0)
        return [
            Measured(seconds=None, error="no")
            if point in self.failing
            else Measured(seconds=factor * seconds_of(point))
            for point in points
        ]


def task_of(key, layers=("conv",), elsewhere=()):
    return TuningTask(key=key, layers=layers, space=SPACE, problem=None, elsewhere=elsewhere)


def tuner_of(log, tasks, workshop, search=None, **options):
    records = Records(read_log(log)) if log.exists() else Records()
    chosen = search or RandomSearch()
    return Tuner(
        tasks,
        workshop,
        lambda records: chosen,
        log=log,
        records=records,
        options=TuneOptions(**{"trials": 100, "batch": 8, "patience": 1000, **options}),
    )


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log.jsonl"


def test_every_trial_is_a_line_of_the_log(log):
    (tuned,) = tuner_of(log, [task_of(ONE)], FakeWorkshop(), trials=20).run()
    *trials, dense, sparse = read_log(log)
    assert len(trials) == tuned.trials == 20
    assert [t.configuration for t in trials[:2]] == list(SPACE.starts)
    assert not any(t.chosen for t in trials)
    assert (dense.chosen, sparse.chosen) == (True, True)
    assert sparse.configuration == tuned.winner
    assert sparse.seconds == tuned.best_s == min(t.seconds for t in trials)
    assert (tuned.default, tuned.default_s) == (SPACE.starts[0], seconds_of(SPACE.starts[0]))
    assert sparse.features == SPACE.describe(tuned.winner)


def test_the_fastest_finalist_of_each_kind_is_compared_as_it_was_measured_in_the_end(log):
    (tuned,) = tuner_of(log, [task_of(ONE)], FakeWorkshop(), trials=40).run()
    times = list(tuned.finalists.values())
    assert times == sorted(times)
    records = Records(read_log(log))
    for sparse in (False, True):
        best = records.best(ONE, sparse=sparse)
        fastest = next(each for each in tuned.finalists if each.sparse == sparse)
        assert (best.configuration, best.seconds) == (fastest, tuned.finalists[fastest])
        assert best.chosen


def test_trials_go_where_the_time_is(log):
    tasks = [task_of(ONE), task_of(TWO, layers=("a", "b"))]
    workshop = FakeWorkshop(slow={TWO.workload: 2.0})
    one, two = tuner_of(log, tasks, workshop, trials=200).run()
    assert one.trials + two.trials == 200
    assert 2 < two.trials / one.trials < 6


def test_a_second_run_measures_nothing(log):
    list(tuner_of(log, [task_of(ONE)], FakeWorkshop(), trials=20).run())
    before = log.read_text()
    workshop = FakeWorkshop()
    again = tuner_of(log, [task_of(ONE)], workshop, trials=20)
    assert list(again.run()) == []
    assert (workshop.asked, again.is_new) == ([], False)
    assert log.read_text() == before


def test_a_run_that_was_killed_goes_on_as_if_it_had_not(log, tmp_path):
    whole = tmp_path / "whole.jsonl"
    list(tuner_of(whole, [task_of(ONE)], FakeWorkshop(), trials=34).run())
    list(tuner_of(log, [task_of(ONE)], FakeWorkshop(), trials=18).run())
    list(tuner_of(log, [task_of(ONE)], FakeWorkshop(), trials=34).run())

    def measured(file):
        return [r.configuration for r in read_log(file) if not r.chosen]

    assert measured(log) == measured(whole)


def test_what_a_killed_run_had_not_decided_is_decided(log):
    tuner = tuner_of(log, [task_of(ONE)], FakeWorkshop(), trials=20)
    next(tuner.run(), None)
    lines = log.read_text().splitlines(keepends=True)
    log.write_text("".join(lines[:20]))
    (tuned,) = tuner_of(log, [task_of(ONE)], FakeWorkshop(), trials=20).run()
    assert Records(read_log(log)).best(ONE, sparse=True).configuration == tuned.winner
    assert log.read_text().count('"chosen": true') == 2


def test_it_ends_where_nothing_improves(log):
    (tuned,) = tuner_of(log, [task_of(ONE)], FakeWorkshop(), trials=1000, patience=24).run()
    assert 24 < tuned.trials < 400


def test_it_ends_when_the_search_has_nothing_to_propose(log):
    (tuned,) = tuner_of(log, [task_of(ONE)], FakeWorkshop(), DefaultSearch()).run()
    assert tuned.trials == 2
    assert tuned.winner == SPACE.starts[1]


def test_it_ends_when_time_is_up(log):
    (tuned,) = tuner_of(log, [task_of(ONE)], FakeWorkshop(), seconds=0).run()
    assert tuned.trials == 2


def test_failures_are_recorded_and_never_win(log):
    workshop = FakeWorkshop(failing=frozenset({SPACE.starts[1], BEST}))
    (tuned,) = tuner_of(log, [task_of(ONE)], workshop, trials=30).run()
    failed = [record for record in read_log(log) if record.seconds is None]
    assert [(f.configuration, f.error) for f in failed] == [(SPACE.starts[1], "no")]
    assert tuned.winner not in workshop.failing


def test_a_layer_of_which_nothing_runs_is_given_up(log):
    workshop = FakeWorkshop(failing=frozenset(SPACE.points))
    (tuned,) = tuner_of(log, [task_of(ONE)], workshop).run()
    assert (tuned.trials, tuned.winner) == (2, SPACE.starts[0])
    assert not any(record.chosen for record in read_log(log))


def test_finalists_are_measured_again_in_turns_beside_the_defaults(log):
    workshop = FakeWorkshop()
    list(tuner_of(log, [task_of(ONE)], workshop, trials=30, finalists=3, final_turns=9).run())
    assert workshop.asked[-1] == (ONE, 5, 9)


@pytest.mark.parametrize("at", [0, 1, -1])
def test_what_is_decided_for_is_what_is_built(log, at):
    tuner = tuner_of(log, [task_of(ONE)], FakeWorkshop(), trials=30)
    (tuned,) = tuner.run()
    point = list(tuned.finalists)[at]
    tuner.decide({tuned: point})
    records = Records(read_log(log))
    assert records.best(ONE, sparse=point.sparse).configuration == point
    assert records.best(ONE, sparse=not point.sparse) is None
    assert records.refusal(ONE, sparse=not point.sparse).error == "not as fast in its network"


def test_the_default_that_did_not_run_is_not_decided_for(log):
    workshop = FakeWorkshop(failing=frozenset(SPACE.starts[:1]))
    tuner = tuner_of(log, [task_of(ONE)], workshop, trials=30)
    (tuned,) = tuner.run()
    assert tuned.default_s == tuned.best_s
    assert tuner.decisions({tuned: tuned.default}) == []


def test_what_earlier_runs_decided_is_known(log):
    (tuned,) = tuner_of(log, [task_of(ONE)], FakeWorkshop(), trials=30).run()
    tuner = tuner_of(log, [task_of(ONE), task_of(TWO)], FakeWorkshop(), trials=32)
    assert [each.task.key for each in tuner.run()] == [TWO]
    (before,) = tuner.decided_before()
    assert (before.winner, before.best_s) == (tuned.winner, tuned.best_s)
    assert (before.default, before.default_s) == (tuned.default, tuned.default_s)
    assert before.trials == 30


def tuned_twice(log, slow=1.0, **options):
    task = task_of(ONE, elsewhere=[task_of(ELSEWHERE)])
    tuner = tuner_of(log, [task], FakeWorkshop(slow={ELSEWHERE.layout: slow}), **options)
    (tuned,) = tuner.run()
    return tuner, tuned


def test_the_finalists_are_measured_in_other_layouts_too(log):
    tuner, tuned = tuned_twice(log, slow=0.5, trials=30, finalists=3)
    (found,) = tuned.elsewhere
    assert (found.task.key, found.trials, tuner.trials) == (ELSEWHERE, 5, 30)
    assert found.best_s == tuned.best_s / 2
    assert found.winner == tuned.winner
    trials = [record for record in read_log(log) if record.key == ELSEWHERE]
    assert len(trials) == 5
    assert not any(record.chosen for record in trials)
    again, _ = tuner_of(log, [tuned.task], FakeWorkshop(), trials=30), None
    assert list(again.run()) == []
    (before,) = again.decided_before()
    assert [(each.winner, each.best_s) for each in before.elsewhere] == [
        (found.winner, found.best_s)
    ]


def test_nothing_is_measured_elsewhere_when_time_is_up(log):
    _, tuned = tuned_twice(log, seconds=0)
    assert tuned.elsewhere == []


def test_a_decision_for_another_layout_can_be_taken_back(log):
    tuner, tuned = tuned_twice(log, trials=30)
    (found,) = tuned.elsewhere
    tuner.undecide([found])
    before = log.read_text()
    tuner.decide({found: found.winner})
    assert Records(read_log(log)).best(ELSEWHERE, sparse=found.winner.sparse).chosen
    tuner.undecide([found])
    assert Records(read_log(log)).best(ELSEWHERE, sparse=found.winner.sparse) is None
    assert log.read_text().startswith(before)


def test_progress(log):
    told = []
    tuner = Tuner(
        [task_of(ONE)],
        FakeWorkshop(),
        lambda records: RandomSearch(),
        log=log,
        records=Records(),
        options=TuneOptions(trials=20, batch=8),
        progress=lambda done, task, best: told.append((done, task.layers, best)),
    )
    list(tuner.run())
    assert [each[:2] for each in told] == [(done, ("conv",)) for done in range(1, 21)]
    assert told[-1][2] == min(record.seconds for record in read_log(log))
