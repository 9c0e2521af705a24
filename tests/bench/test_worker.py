import numpy as np
import pytest

from tests.bench.fake_systems import _fake
from tvm_patdnn.bench.system import Loaded, System
from tvm_patdnn.bench.worker import Worker


class _Counter:
    """Counts its runs; the clock moves by ``seconds`` in each."""

    def __init__(self, clock, seconds: float) -> None:
        self.runs, self._clock, self._seconds = 0, clock, seconds

    def __call__(self) -> None:
        self.runs += 1
        self._clock.now += self._seconds


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 0.0

    monkeypatch.setattr("time.perf_counter", lambda: Clock.now)
    return Clock


def _worker(run, tmp_path, profile=None) -> Worker:
    loaded = Loaded(run=run, outputs=lambda _: [np.ones(2)], profile=profile)
    system: System = _fake("COUNTER", lambda path, job, inputs: loaded)
    worker = Worker(system)
    np.savez(tmp_path / "x.npz", x=np.zeros(1))
    job = dict.fromkeys(("model", "folder"), str(tmp_path))
    job |= {"outputs": ["y"], "threads": 1, "thorough": True}
    worker.load(job, str(tmp_path), str(tmp_path / "x.npz"))
    return worker


def test_a_turn_warms_up_before_it_is_timed(clock, tmp_path):
    run = _Counter(clock, 0.01)
    assert _worker(run, tmp_path).run(repeats=4, limit=9)["seconds"] == pytest.approx([0.01] * 4)
    assert run.runs == 5


def test_a_long_run_warms_itself_up(clock, tmp_path):
    run = _Counter(clock, 0.5)
    worker = _worker(run, tmp_path)
    worker.outputs(str(tmp_path / "y.npz"))
    worker.run(repeats=2, limit=9)
    assert run.runs == 1 + 2


def test_no_run_begins_after_the_limit(clock, tmp_path):
    worker = _worker(_Counter(clock, 3.0), tmp_path)
    worker.outputs(str(tmp_path / "y.npz"))
    assert worker.run(repeats=10, limit=5)["seconds"] == [3.0, 3.0]


def test_a_profile_is_passed_on_where_there_is_one(clock, tmp_path):
    run = _Counter(clock, 0.01)
    assert _worker(run, tmp_path).profile() == {"kernels": []}
    told = [("pattern_conv2d", 0.25)]
    assert _worker(run, tmp_path, lambda: told).profile() == {"kernels": told}
