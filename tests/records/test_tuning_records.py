"""Tuning records: the round trip, and which one decides."""

from __future__ import annotations

import json

import pytest

from te_schedules.cpu.conv2d_schedule import Hold, Outer
from tests.records.samples import key_of, record
from tvm_patdnn.records.tuning_records import Records, record_line, record_of


def test_a_line_gives_the_record_back():
    schedule = {"group": 2, "hold": Hold.INPUTS, "outer": Outer.ROW}
    first = record(1.0, schedule=schedule, chosen=True, at=3.5, features={"rows": 1.0})
    failed = record(None, error="no", sparse=True, schedule={"band": 16}, layers=("a", "b"))
    for each in (first, failed):
        again = record_of(json.loads(record_line(each)))
        assert again == each
        assert (again.features, again.layers) == (each.features, each.layers)


def test_the_fastest_decides():
    slow, fast, failed = record(2.0), record(1.0, schedule={"group": 2}), record(None)
    records = Records([slow, fast, failed])
    assert records.best(key_of(), sparse=False) == fast
    assert records.best(key_of(), sparse=True) is None
    assert records.best(key_of(threads=4), sparse=False) is None
    assert records.trials(key_of()) == [slow, fast, failed]


def test_what_was_chosen_last_decides_over_faster_trials():
    fast, early, late = record(1.0), record(3.0, chosen=True, at=1), record(2.0, chosen=True, at=2)
    for order in ([fast, early, late], [late, early, fast], [early, late, fast]):
        assert Records(order).best(key_of(), sparse=False) == late


def test_what_is_decided_against_is_not_compared_where_the_other_way_is_decided_for():
    trial = record(1.0, sparse=True)
    against = record(None, sparse=True, chosen=True, at=2)
    records = Records([trial, against])
    assert records.best(key_of(), sparse=True) is None
    assert records.similar(key_of(workload="in 1x8x8x9 kernel 3x3"), sparse=True) == []
    assert records.refusal(key_of(), sparse=True) is None
    records.add(record(2.0, chosen=True, at=2))
    assert records.refusal(key_of(), sparse=True) == against
    assert records.refusal(key_of(), sparse=False) is None
    again = record(3.0, sparse=True, chosen=True, at=3)
    records.add(again)
    assert records.best(key_of(), sparse=True) == again
    assert records.refusal(key_of(), sparse=True) is None


def test_similar_layers_are_found_the_most_similar_first():
    wide = record(1.0, key_of(workload="in 1x8x8x16 kernel 3x3"))
    wider = record(1.0, key_of(workload="in 1x8x8x31 kernel 3x3"))
    other = record(1.0, key_of(workload="in 1x8x8x8 kernel 1x1"))
    far = record(1.0, key_of(workload="in 1x512x512x8 kernel 3x3"))
    records = Records([wider, other, far, wide, record(1.0)])
    assert records.similar(key_of(), sparse=False) == [wide, wider]
    assert records.similar(key_of(), sparse=True) == []


def test_another_version_or_an_unknown_family_is_no_record():
    values = json.loads(record_line(record(1.0)))
    assert record_of({**values, "version": 0}) is None
    assert record_of({**values, "family": "of tomorrow"}) is None


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        ("format", 3, "another format"),
        ("seconds", float("nan"), "seconds is nan, expected a positive number"),
        ("seconds", -1.0, "seconds is -1.0, expected a positive number"),
        ("seconds", "fast", "seconds is 'fast', expected a positive number"),
        ("at", -1.0, "at is -1.0, expected a positive number"),
        ("cpu", 7, "cpu is 7, expected a text"),
        ("workload", ["w"], r"workload is .'w'., expected a text"),
        ("chosen", "yes", "chosen is 'yes', expected a bool"),
        ("features", {"a": "b"}, "a is 'b', expected a positive number"),
        ("layers", "conv1", "layers is 'conv1', expected a list of names"),
        ("layers", [1], r"layers is .1., expected a list of names"),
        ("configuration.sparse", "yes", "sparse is 'yes', expected a bool"),
        ("configuration.rows", 0, "rows is 0, expected a whole number from 1 to 65536"),
        ("configuration.vectors", 10**9, "vectors is 1000000000, expected a whole number"),
        ("configuration.group", 1.5, "group is 1.5, expected a whole number"),
        ("configuration.chunks", True, "chunks is True, expected a whole number"),
        ("configuration.band", 0, "band is 0, expected a whole number"),
        ("configuration.hold", "everything", "'everything' is not a valid Hold"),
    ],
)
def test_nonsense_is_named(where, value, message):
    values = json.loads(record_line(record(1.0)))
    *path, name = where.split(".")
    (values[path[0]] if path else values)[name] = value
    with pytest.raises(ValueError, match=message):
        record_of(values)


def test_an_unknown_field_is_named():
    values = json.loads(record_line(record(1.0)))
    values["configuration"]["speed"] = 9
    with pytest.raises(TypeError, match="unexpected keyword argument 'speed'"):
        record_of(values)
