"""The second choice among finalists: by their time in the network."""

from __future__ import annotations

import pytest

from tests.built import inputs, library
from tests.records.samples import key_of
from tests.tuning.spaces import SPACE, point
from tvm_patdnn.evaluation.random_inputs import random_inputs
from tvm_patdnn.tuning.choose_in_network import (
    better_choices,
    challengers,
    layer_seconds,
    variants,
)
from tvm_patdnn.tuning.problem import TuningTask
from tvm_patdnn.tuning.tuner import TunedTask

DEFAULT, OTHER_KIND = SPACE.starts
FIRST, SECOND, THIRD = (point(rows, 2, 1, sparse=True) for rows in (1, 2, 3))


def tuned(*finalists, layers=("a",)):
    task = TuningTask(key=key_of(), layers=layers, space=SPACE, problem=None)
    return TunedTask.of(task, 9, {each: 1.0 + i for i, each in enumerate(finalists)})


def test_challengers_are_faster_alone_than_the_default_whether_they_skip_pruned_work_or_not():
    assert challengers(tuned(FIRST, OTHER_KIND, THIRD, DEFAULT)) == [FIRST, OTHER_KIND]
    assert challengers(tuned(FIRST, DEFAULT, SECOND)) == [FIRST]
    assert challengers(tuned(DEFAULT, FIRST)) == challengers(tuned()) == []


def test_a_default_that_did_not_run_is_challenged_by_nothing_slower_than_the_fastest():
    assert challengers(tuned(FIRST, SECOND)) == []


def test_neighbours_are_not_changed_in_one_network():
    a, b, c, d = (tuned(FIRST, SECOND, DEFAULT, layers=(name,)) for name in "abcd")
    assert variants([a, b, c, d], "abcd") == [
        {a: FIRST, c: FIRST},
        {a: SECOND, c: SECOND},
        {b: FIRST, d: FIRST},
        {b: SECOND, d: SECOND},
    ]
    assert variants([a, c, d], "abcd") == [
        {a: FIRST, c: FIRST},
        {a: SECOND, c: SECOND},
        {d: FIRST},
        {d: SECOND},
    ]


def test_layers_of_one_task_can_be_neighbours():
    twice, one = (
        tuned(FIRST, SECOND, DEFAULT, layers=("a", "b")),
        tuned(FIRST, DEFAULT, layers=("d",)),
    )
    assert variants([twice, one], "abcd") == [{twice: FIRST, one: FIRST}, {twice: SECOND}]


def test_tasks_without_challengers_are_not_tried():
    assert variants([tuned(DEFAULT, FIRST)], ["a"]) == []


def test_what_is_clearly_faster_with_what_is_behind_it_is_better():
    one, other, last = (tuned(FIRST, SECOND, DEFAULT, layers=(name,)) for name in "ace")
    before = dict.fromkeys("abcdef", 1.0)
    tried = [{one: FIRST, other: FIRST, last: FIRST}, {one: SECOND, other: SECOND, last: SECOND}]
    seconds = [
        # Of the first, what is gained is lost behind; the last gains too little.
        (before, {**before, "a": 0.7, "b": 1.3, "c": 0.7, "d": 1.2, "e": 0.98}),
        (before, {**before, "a": 0.9, "b": 1.0, "c": 0.9, "d": 1.1, "e": 0.99}),
    ]
    assert better_choices(tried, seconds) == {one: SECOND, other: FIRST}


def test_a_layer_between_two_of_a_task_counts_once():
    twice = tuned(FIRST, DEFAULT, layers=("a", "b"))
    before, after = {"a": 1.0, "b": 1.0, "c": 1.0}, {"a": 0.9, "b": 1.2, "c": 0.8}
    assert better_choices([{twice: FIRST}], [(before, after)]) == {twice: FIRST}


def test_layers_that_a_network_does_not_have_keep_what_they_have():
    task = tuned(FIRST, DEFAULT, layers=("a",))
    assert better_choices([{task: FIRST}], [({"1: conv2d": 2.0}, {"1: conv2d": 1.0})]) == {}


@pytest.mark.parametrize("count", [1, 2])
def test_layers_are_timed_by_their_names(count):
    model = library().runnable
    assert random_inputs(model.inputs).keys() == inputs().keys()
    found = layer_seconds([model] * count)
    assert [list(each) for each in found] == [["conv1", "conv2", "others"]] * count
    assert all(seconds > 0 for each in found for seconds in list(each.values())[:2])
