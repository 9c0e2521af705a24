"""The second choice among finalists: by their time in the network."""

from __future__ import annotations

import pytest

from tests.built import inputs, library
from tests.records.samples import key_of
from tests.tuning.spaces import SPACE, point
from tvm_patdnn.evaluation.random_inputs import random_inputs
from tvm_patdnn.tuning.choose_in_network import better_choices, layer_seconds, runners_up
from tvm_patdnn.tuning.problem import TuningTask
from tvm_patdnn.tuning.tuner import TunedTask

FIRST, OTHER_KIND, SECOND, THIRD = (
    point(1, 2, 1, sparse=True),
    point(1, 2, 1, sparse=False),
    point(2, 2, 1, sparse=True),
    point(3, 2, 1, sparse=True),
)


def tuned(*finalists, layers=("a",)):
    task = TuningTask(key=key_of(), layers=layers, space=SPACE, problem=None)
    seconds = {each: 1.0 + i for i, each in enumerate(finalists)}
    return TunedTask(task=task, trials=9, default_s=9.0, finalists=seconds)


def test_runners_up_are_of_the_kind_of_the_winner():
    many, one, none = tuned(FIRST, OTHER_KIND, SECOND, THIRD), tuned(FIRST), tuned()
    done = [many, one, none]
    assert runners_up(done, 0) == {many: FIRST, one: FIRST}
    assert runners_up(done, 1) == {many: SECOND}
    assert runners_up(done, 2) == {many: THIRD}
    assert runners_up(done, 3) == {}


def test_what_is_clearly_faster_in_the_network_is_better():
    twice, alone, same = (
        tuned(FIRST, SECOND, THIRD, layers=("a", "b")),
        tuned(FIRST, layers=("c",)),
        tuned(FIRST, SECOND, layers=("d",)),
    )
    others = [{twice: SECOND, same: SECOND}, {twice: THIRD}]
    seconds = [
        {"a": 1.0, "b": 1.0, "c": 1.0, "d": 1.0, "others": 5.0},
        {"a": 0.9, "b": 1.0, "c": 0.1, "d": 0.995, "others": 1.0},
        {"a": 1.0, "b": 0.8, "c": 0.1, "d": 0.1, "others": 1.0},
    ]
    assert better_choices([twice, alone, same], others, seconds) == {twice: THIRD}


def test_layers_that_a_network_does_not_have_keep_what_they_have():
    task = tuned(FIRST, SECOND, layers=("a",))
    assert better_choices([task], [{task: SECOND}], [{"1: conv2d": 2.0}, {"1: conv2d": 1.0}]) == {}


@pytest.mark.parametrize("count", [1, 2])
def test_layers_are_timed_by_their_names(count):
    model = library().runnable
    assert random_inputs(model.inputs).keys() == inputs().keys()
    found = layer_seconds([model] * count)
    assert [list(each) for each in found] == [["conv1", "conv2", "others"]] * count
    assert all(seconds > 0 for each in found for seconds in list(each.values())[:2])
