import re

import pytest

from tests.bench import fake_systems as fakes
from tests.bench.samples import small_network
from tests.quantised_models import quantised
from tvm_patdnn.bench.contest import run_contest, steps_of_contest
from tvm_patdnn.bench.options import BenchOptions
from tvm_patdnn.bench.rows import Status
from tvm_patdnn.bench.subject import Subject
from tvm_patdnn.bench.systems import EXACT, REFERENCE

_SYSTEMS = [REFERENCE, fakes.WRONG, fakes.RAISES, fakes.DIES, fakes.ABSENT]


def _options(**changes) -> BenchOptions:
    return BenchOptions(**{"threads": 1, "repeats": 4, "rounds": 2, "thorough": False, **changes})


@pytest.fixture
def no_probe(monkeypatch):
    monkeypatch.setattr("tvm_patdnn.bench.contest.PROBE", fakes.SLEEPER)


@pytest.fixture(scope="module")
def rows():
    """Of systems that fail in every way, beside one that does not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tvm_patdnn.bench.contest.PROBE", fakes.SLEEPER)
        told = []
        subject = Subject(model="net", pruned=small_network())
        options = _options()
        outcome = run_contest(subject, _SYSTEMS, options, "the command", told.append)
    assert len(told) == steps_of_contest(_SYSTEMS, options)
    assert not outcome.interrupted
    return {row.system.rpartition(":")[2]: row for row in outcome.rows}


def test_a_system_that_works_is_measured(rows):
    row = rows["onnxruntime"]
    assert (row.status, row.repeats, row.max_rel_error) == (Status.OK, 4, 0.0)
    assert 0 < row.p10_s <= row.median_s <= row.p90_s
    assert row.peak_rss_bytes >= row.base_rss_bytes > 0
    assert row.library_bytes > 0
    assert row.build_s > 0
    assert set(row.versions) == {"onnxruntime"}
    assert (row.command, row.threads, row.ratio) == ("the command", 1, None)


@pytest.mark.parametrize(
    ("system", "status", "message"),
    [
        ("WRONG", Status.WRONG, "differs from onnxruntime by .*, expected at most 0.001"),
        ("RAISES", Status.FAILED, "no such operator: Foo"),
        ("DIES", Status.FAILED, "SIGKILL"),
        ("ABSENT", Status.MISSING, "tvm-patdnn bench --install"),
    ],
)
def test_one_that_does_not_says_so_and_stops_nothing(rows, system, status, message):
    assert rows[system].status is status
    assert not rows[system].counts

    assert re.search(message, rows[system].message)


def test_stopped_by_the_user_it_keeps_what_it_has(no_probe):
    def stop(step: str) -> None:
        if step.startswith("round 2"):
            raise KeyboardInterrupt

    systems = [REFERENCE, fakes.WRONG]
    subject = Subject(model="net", pruned=small_network())
    outcome = run_contest(subject, systems, _options(), progress=stop)
    assert outcome.interrupted
    assert [row.repeats for row in outcome.rows] == [2, 2]


def test_stopped_while_building_nothing_was_measured(no_probe):
    def stop(step: str) -> None:
        if "WRONG" in step:
            raise KeyboardInterrupt

    subject = Subject(model="net", pruned=small_network())
    outcome = run_contest(subject, [REFERENCE, fakes.WRONG], _options(), progress=stop)
    assert [row.status for row in outcome.rows] == [Status.INTERRUPTED] * 2


def test_without_a_reference_nothing_is_called_right(no_probe, monkeypatch):
    monkeypatch.setattr("tvm_patdnn.bench.contest.REFERENCE", fakes.ABSENT)
    subject = Subject(model="net", pruned=small_network())
    row = run_contest(subject, [fakes.WRONG], _options()).rows[0]
    assert (row.status, row.max_rel_error) == (Status.UNCHECKED, None)
    assert row.counts


def test_a_slow_system_takes_fewer_turns(no_probe):
    subject = Subject(model="net", pruned=small_network())
    options = _options(rounds=6, repeats=6, budget=0)
    assert run_contest(subject, [REFERENCE], options).rows[0].repeats == 3


def test_quantised_models_are_compared_with_what_they_say(no_probe):
    subject = Subject(model="net", pruned=quantised())
    optimised, exact = run_contest(subject, [REFERENCE, EXACT], _options()).rows
    assert (exact.status, exact.max_rel_error) == (Status.OK, 0.0)
    assert optimised.status is Status.OK
    (wrong,) = run_contest(subject, [fakes.WRONG], _options(max_int8_error=1e-6)).rows
    assert "differs from onnxruntime-exact by" in wrong.message
