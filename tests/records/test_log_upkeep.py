"""What is kept of logs."""

from __future__ import annotations

import pytest

from tests.records.samples import key_of, record
from tvm_patdnn.records.log_upkeep import deciding, pruned, summaries, united, winner
from tvm_patdnn.records.tuning_records import Records

OTHER = key_of(workload="in 1x9x9x9 kernel 1x1")
SLOW, FAST, FAILED = record(2.0), record(1.0, schedule={"group": 2}), record(None, error="no")
SPARSE = record(0.5, sparse=True)


def test_a_summary_of_each_layer():
    first, second = summaries([SLOW, FAST, FAILED, record(None, OTHER)])
    assert (first.key, first.trials, first.failures, first.best) == (key_of(), 3, 1, FAST)
    assert (second.key, second.trials, second.failures, second.best) == (OTHER, 1, 1, None)


def test_a_summary_names_the_layers_of_all_networks():
    names = [("a", "b"), (), ("c", "a")]
    (found,) = summaries(record(1.0, layers=layers) for layers in names)
    assert found.layers == ("a", "b", "c")


def test_what_is_best_may_be_sparse_or_dense():
    assert summaries([FAST, SPARSE])[0].best == SPARSE
    assert summaries([FAST, record(3.0, sparse=True)])[0].best == FAST


def test_a_winner_is_what_was_the_fastest_when_finalists_were_measured_again():
    key = key_of()
    assert winner(key, Records()) is None
    lucky = record(1.0, sparse=True, schedule={"rows": 2})
    dense, sparse = record(3.0, chosen=True), record(2.0, sparse=True, chosen=True)
    assert winner(key, Records([lucky])) == lucky
    assert winner(key, Records([dense, lucky, sparse])) == sparse
    faster = record(1.5, chosen=True)
    assert winner(key, Records([faster, lucky, sparse])) == faster


def test_what_decides():
    assert deciding([SLOW, FAST, FAILED, SPARSE, record(None, OTHER)]) == [FAST, SPARSE]


def test_what_is_decided_against_decides_too_and_is_no_failure():
    against = record(None, sparse=True, chosen=True, at=2)
    everything = [FAST, SPARSE, against]
    assert deciding(everything) == [FAST, against]
    assert pruned(everything, 2) == everything
    assert (summaries(everything)[0].failures, summaries(everything)[0].best) == (0, FAST)


def test_logs_are_united_with_each_record_once():
    assert list(united([[SLOW, FAST], [FAST, SPARSE, SPARSE]])) == [SLOW, FAST, SPARSE]


def test_the_fastest_stay_and_what_was_chosen():
    chosen = record(9.0, schedule={"group": 4}, chosen=True)
    everything = [chosen, SLOW, FAILED, FAST, record(3.0, schedule={"group": 8})]
    assert pruned(everything, 2) == [chosen, FAST, everything[-1]]
    assert pruned([SLOW, FAST, SPARSE], 1) == [FAST, SPARSE]


@pytest.mark.parametrize(
    ("keep", "kept"),
    [(1, [1]), (2, [1, 20]), (4, [1, 2, 11, 20]), (5, [1, 2, 3, 12, 20]), (99, range(1, 21))],
)
def test_the_others_are_spread_over_the_rest(keep, kept):
    everything = [record(float(n), schedule={"rows": n}) for n in range(1, 21)]
    assert [each.seconds for each in pruned(everything[::-1], keep)][::-1] == list(kept)
