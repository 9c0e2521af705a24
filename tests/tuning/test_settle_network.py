"""What is kept of a tuned network, with networks whose times are known."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from tests.tuning.spaces import SPACE, point
from tests.tuning.test_tuner import ONE, FakeWorkshop, task_of, tuner_of
from tvm_patdnn.compilation import Request
from tvm_patdnn.errors import TuningError
from tvm_patdnn.library.running import RunnableModel
from tvm_patdnn.records.record_files import read_log
from tvm_patdnn.records.tuning_records import Records
from tvm_patdnn.tuning import settle_network as module
from tvm_patdnn.tuning.settle_network import settle_network
from tvm_patdnn.tuning.tuner import TunedTask

ALONE, BESIDE, DENSE = (
    point(1, 2, 1, sparse=True),
    point(2, 2, 1, sparse=True),
    point(1, 2, 1, sparse=False),
)
DEFAULT_S = 10.0


class FakeModel(RunnableModel):
    """A network of one layer, with a certain kernel; None is the default's."""

    def __init__(self, chosen, seconds, result):
        self.chosen, self.seconds, self.result = chosen, seconds, result

    @property
    def inputs(self):
        return {}

    def run(self, inputs):
        return {"y": np.array([self.result], np.float32)}

    def time(self, inputs, repeats=20):
        return [self.seconds] * repeats

    def time_layers(self, inputs, repeats=5):
        return {"conv": self.seconds, "others": 1.0}


@pytest.fixture
def settled(tmp_path, monkeypatch):
    """Settles a network; returns the times, whether it is kept, and what its log then says."""

    def settle(in_network, whole=None, results=None):
        log = tmp_path / "log.jsonl"
        tuner = tuner_of(log, [task_of(ONE)], FakeWorkshop())
        finalists = {ALONE: 1.0, DENSE: 1.5, BESIDE: 2.0}
        tuned = TunedTask(task=task_of(ONE), trials=3, default_s=3.0, finalists=finalists)
        list(tuner.run())
        for each in (DENSE, ALONE):
            tuner.choose(tuned, each)

        def build(request):
            times = (whole or in_network) if request.logs == log else in_network
            chosen = request.logs and decided(request.logs)
            seconds = times[chosen] if chosen else DEFAULT_S
            result = (results or {}).get(chosen, 1.0)
            return SimpleNamespace(runnable=FakeModel(chosen, seconds, result))

        monkeypatch.setattr(module, "build_requested", build)
        found = settle_network(Request(onnx_model=b""), log, tuner, [tuned])
        assert list(found.choices.values()) == ([BESIDE] if decided(log) == BESIDE else [])
        return found.times, found.kept, decided(log)

    return settle


def decided(log):
    return Records(read_log(log)).best(ONE, sparse=True).configuration


def test_what_is_faster_in_the_network_is_chosen(settled):
    times, kept, chosen = settled({ALONE: 5.0, BESIDE: 4.0})
    assert (times.default_s, times.tuned_s) == (DEFAULT_S, 4.0)
    assert kept
    assert chosen == BESIDE


def test_what_is_the_fastest_alone_stays_where_nothing_is_faster_in_the_network(settled):
    times, kept, chosen = settled({ALONE: 4.0, BESIDE: 4.0})
    assert (times.tuned_s, kept, chosen) == (4.0, True, ALONE)


def test_a_choice_that_makes_no_faster_network_is_taken_back(settled):
    times, kept, chosen = settled({ALONE: 5.0, BESIDE: 4.0}, whole={ALONE: 5.0, BESIDE: 6.0})
    assert (times.tuned_s, kept, chosen) == (5.0, True, ALONE)


def test_a_network_that_is_not_faster_is_not_kept(settled):
    times, kept, chosen = settled({ALONE: 9.95, BESIDE: 9.95})
    assert (times.tuned_s, kept) == (9.95, False)
    assert chosen == SPACE.starts[1]


def test_a_network_with_another_result_is_an_error(settled):
    with pytest.raises(TuningError, match="y: the tuned network differs by 1"):
        settled({ALONE: 5.0, BESIDE: 4.0}, results={BESIDE: 2.0})
