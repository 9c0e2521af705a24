"""What is kept of a tuned network, with networks whose times are known."""

from __future__ import annotations

import numpy as np
import pytest

from tests.tuning.spaces import SPACE, point
from tests.tuning.test_tuner import ELSEWHERE, ONE, FakeWorkshop, task_of, tuner_of
from tvm_patdnn.compilation import Request
from tvm_patdnn.errors import LibraryError, TuningError
from tvm_patdnn.library.running import RunnableModel
from tvm_patdnn.records.record_files import read_log
from tvm_patdnn.records.tuning_records import Records
from tvm_patdnn.tuning import settle_network as module
from tvm_patdnn.tuning.settle_network import settle_network
from tvm_patdnn.tuning.tuner import TunedTask

DEFAULT, ALONE, BESIDE = (
    SPACE.starts[0],
    point(1, 2, 1, sparse=True),
    point(2, 2, 1, sparse=True),
)
DEFAULT_S = 10.0


class FakeModel(RunnableModel):
    """A network of one layer, with a certain kernel."""

    def __init__(self, seconds, whole, result, timed):
        self.seconds, self.whole, self.result, self.timed = seconds, whole, result, timed

    @property
    def inputs(self):
        return {}

    def run(self, inputs):
        return {"y": np.array([self.result], np.float32)}

    def time(self, inputs, repeats=20):
        return [self.whole] * repeats

    def time_layers(self, inputs, repeats=5):
        if not self.timed:
            raise LibraryError("the device's server cannot time layers")
        return {"conv": self.seconds, "others": 1.0}


class FakePlace:
    """Where the ``lucky`` of the networks that are loaded, counted from 0, is twice as fast."""

    def __init__(self, lucky=-1):
        self.lucky, self.loaded = lucky, 0

    def network(self, library):
        self.loaded += 1
        if self.loaded - 1 != self.lucky:
            return library
        return FakeModel(library.seconds, library.whole / 2, library.result, library.timed)


@pytest.fixture
def settled(tmp_path, monkeypatch):
    """Settles a network; returns the times, whether it is kept, and what its log then says.

    ``in_network`` are the seconds of the layer, ``whole`` of the network, by the kernel.
    """

    def settle(in_network, whole=None, results=None, *, timed=True, finalists=None, lucky=-1):
        log = tmp_path / "log.jsonl"
        tuner = tuner_of(log, [task_of(ONE)], FakeWorkshop())
        times = finalists or {ALONE: 1.0, BESIDE: 2.0, DEFAULT: 3.0}
        tuned = TunedTask.of(task_of(ONE), 3, times)
        list(tuner.run())

        def build(request):
            chosen = decided(request.logs) if request.logs else DEFAULT
            seconds = {DEFAULT: DEFAULT_S, **in_network}[chosen]
            network = {DEFAULT: DEFAULT_S, **in_network, **(whole or {})}[chosen]
            return FakeModel(seconds, network, (results or {}).get(chosen, 1.0), timed)

        monkeypatch.setattr(module, "build_requested", build)
        found = settle_network(Request(onnx_model=b""), tuner, [tuned], FakePlace(lucky))
        assert list(found.choices.values()) == [each for each in [decided(log)] if found.kept]
        return found, decided(log)

    return settle


def decided(log):
    records = Records(read_log(log))
    (found,) = (r for sparse in (False, True) if (r := records.best(ONE, sparse=sparse)))
    assert records.refusal(ONE, sparse=not found.sparse)
    return found.configuration


def test_what_is_the_fastest_in_the_network_is_chosen(settled):
    found, chosen = settled({ALONE: 5.0, BESIDE: 4.0})
    assert (found.times.default_s, found.times.tuned_s) == (DEFAULT_S, 4.0)
    assert (found.kept, found.tried, chosen) == (True, True, BESIDE)


def test_what_is_no_faster_in_the_network_is_not_chosen(settled):
    found, chosen = settled({ALONE: 12.0, BESIDE: 9.95})
    assert (found.kept, found.tried, chosen) == (False, False, DEFAULT)
    assert found.times.tuned_s == found.times.default_s == DEFAULT_S


def test_a_network_that_is_not_faster_is_not_kept(settled):
    found, chosen = settled({ALONE: 5.0, BESIDE: 4.0}, whole={BESIDE: 9.95})
    assert (found.times.tuned_s, found.kept, found.tried, chosen) == (9.95, False, True, DEFAULT)


# Loaded are the default, two networks for the layers, and twice the networks that are compared.
@pytest.mark.parametrize("lucky", range(7))
def test_a_network_that_was_lucky_once_is_not_kept(settled, lucky):
    found, chosen = settled({ALONE: 5.0, BESIDE: 4.0}, {BESIDE: 9.95}, lucky=lucky)
    assert (found.kept, chosen) == (False, DEFAULT)


def test_nothing_is_tried_where_the_default_is_the_fastest_alone(settled):
    found, chosen = settled({}, finalists={DEFAULT: 1.0, ALONE: 2.0, BESIDE: 3.0})
    assert (found.kept, found.tried, chosen) == (False, False, DEFAULT)


def test_the_fastest_alone_are_tried_where_layers_cannot_be_timed(settled):
    found, chosen = settled({ALONE: 5.0, BESIDE: 4.0}, timed=False)
    assert (found.times.tuned_s, found.kept, chosen) == (5.0, True, ALONE)


@pytest.mark.parametrize(
    ("tuned_s", "elsewhere_s", "kept", "moved"),
    [
        (5.0, 4.0, True, True),
        (5.0, 4.99, True, False),
        (5.0, 6.0, True, False),
        (9.95, 9.95, False, False),
    ],
)
def test_other_layouts_are_kept_where_the_network_is_the_fastest_with_them(
    tmp_path, monkeypatch, tuned_s, elsewhere_s, kept, moved
):
    log = tmp_path / "log.jsonl"
    tuner = tuner_of(log, [task_of(ONE)], FakeWorkshop())
    list(tuner.run())
    elsewhere = TunedTask.of(task_of(ELSEWHERE), 1, {ALONE: 0.5})
    tuned = TunedTask.of(task_of(ONE), 3, {ALONE: 1.0, DEFAULT: 3.0}, [elsewhere])

    def has_moved(file):
        return Records(read_log(file)).best(ELSEWHERE, sparse=True) is not None

    def build(request):
        if not request.logs:
            return FakeModel(DEFAULT_S, DEFAULT_S, 1.0, timed=True)
        seconds = elsewhere_s if has_moved(request.logs) else tuned_s
        return FakeModel(1.0, seconds, 1.0, timed=True)

    monkeypatch.setattr(module, "build_requested", build)
    for _ in range(2):  # what an earlier run decided is taken back
        found = settle_network(Request(onnx_model=b""), tuner, [tuned], FakePlace())
        assert (found.kept, found.layouts, has_moved(log)) == (kept, moved, moved)
        assert found.times.tuned_s == (elsewhere_s if moved else tuned_s)
        tuner.decide({elsewhere: ALONE})


def test_layouts_in_which_all_is_slower_are_not_tried(settled):
    task = task_of(ONE)
    elsewhere = TunedTask.of(task_of(ELSEWHERE), 1, {ALONE: 9.0})
    tuned = TunedTask.of(task, 3, {DEFAULT: 3.0}, [elsewhere])
    assert module._elsewhere([tuned]) == {}
    assert module._elsewhere([TunedTask.of(task, 3, {DEFAULT: 9.5}, [elsewhere])]) == {
        elsewhere: ALONE
    }


def test_a_network_with_another_result_is_an_error(settled):
    with pytest.raises(TuningError, match="y: the tuned network differs by 1"):
        settled({ALONE: 5.0, BESIDE: 4.0}, results={BESIDE: 2.0})
