"""What is measured of kernels, on a place whose clock is known."""

from types import SimpleNamespace

import numpy as np
import pytest

from tvm_patdnn.tuning import measure_trials as measuring
from tvm_patdnn.tuning.build_trials import ARGUMENTS, CONSTANTS
from tvm_patdnn.tuning.measure_trials import measure_trials


class Array(np.ndarray):
    def numpy(self) -> np.ndarray:
        return np.asarray(self)


class Clock:
    """A place where two kernels take longer until their threads have found their cores.

    Args:
        alone_s: seconds in which they have not.
    """

    def __init__(self, alone_s: float) -> None:
        self.alone_s, self.now, self.runs, self.device = alone_s, 0.0, 0, None

    def is_alive(self) -> bool:
        return True

    def tensor(self, array: np.ndarray) -> Array:
        return array.view(Array)

    def load(self, library) -> "Clock":
        self.seconds = 0.01 if "fast" in str(library) else 0.02
        return self

    def __getitem__(self, name):
        return lambda *args: None

    def time_evaluator(self, name, device, **options):
        seconds = self.seconds

        def timer(*args):
            self.runs += 1
            spent = seconds * (2 if self.now < self.alone_s else 1)
            self.now += spent
            return SimpleNamespace(results=[spent])

        return timer


@pytest.fixture
def folders(tmp_path):
    for name in ("arguments", "fast", "slow"):
        (tmp_path / name).mkdir()
        np.savez(tmp_path / name / CONSTANTS)
    zeros = np.zeros((1, 2), np.float32)
    np.savez(tmp_path / "arguments" / ARGUMENTS, expected=zeros, out_shape=zeros.shape)
    return tmp_path


def measured(folders, place, names, monkeypatch, turns=1):
    monkeypatch.setattr(measuring, "time", SimpleNamespace(monotonic=lambda: place.now))
    asked = [str(folders / name) for name in names]
    found = measure_trials(place, str(folders / "arguments"), asked, turns=turns, cold_bytes=0)
    assert not any(each.error for each in found)
    return [each.seconds for each in found]


def test_threads_that_were_just_started_have_found_their_cores(folders, monkeypatch):
    place = Clock(alone_s=0.09)
    assert measured(folders, place, ["slow", "fast"], monkeypatch) == [0.02, 0.01]


def test_a_kernel_that_takes_long_is_not_run_more_often_than_once_before(folders, monkeypatch):
    place = Clock(alone_s=0.0)
    place.load = lambda library: vars(place).update(seconds=1.0) or place
    assert measured(folders, place, ["slow", "fast"], monkeypatch, turns=3) == [1.0, 1.0]
    assert place.runs == 1 + 2 * 3
