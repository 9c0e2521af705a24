import math

from tests.records.samples import record
from tests.tuning.spaces import point
from tvm_patdnn.tuning.history import History

A, B, C = (point(n, 1, 1, sparse=False) for n in (1, 2, 3))


def test_the_fastest_come_first_and_failures_not_at_all():
    history = History()
    assert history.best == math.inf
    for each, seconds in ((A, 2.0), (B, None), (C, 1.0)):
        history.add(each, seconds)
    assert (len(history), history.best) == (3, 1.0)
    assert history.fastest(5) == [C, A]
    assert history.fastest(1) == [C]


def test_small_gains_are_no_improvement():
    history = History()
    for n, seconds in enumerate((1.0, 0.999, 0.5, 0.499, 2.0)):
        history.add(point(n + 1, 1, 1, sparse=True), seconds)
    assert history.since_improved == 2


def test_of_records_it_leaves_out_what_was_measured_again():
    records = [record(2.0), record(3.0), record(1.0, schedule={"rows": 2}, chosen=True)]
    history = History.of(records)
    assert (len(history), history.best) == (1, 2.0)
