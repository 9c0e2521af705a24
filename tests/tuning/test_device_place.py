"""Trials on devices that go away, come back or freeze, and on two at a time: real servers."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import replace

import pytest

from tests.device.servers import freeze, kill, serving, tracking, wait_until
from tests.tuning.test_workshop import PLAIN, sample
from tvm_patdnn.device import greet
from tvm_patdnn.device.connect import connect
from tvm_patdnn.device.tracker import free_devices_of
from tvm_patdnn.errors import DeviceError
from tvm_patdnn.tuning import workshop as module
from tvm_patdnn.tuning.device_place import DevicePlace
from tvm_patdnn.tuning.workshop import Limits, Workshop

pytest.importorskip("cloudpickle")
pytest.importorskip("psutil")
LIMITS = Limits(turns=2, run_s=300)


def points_of(count):
    return [
        replace(PLAIN, schedule=replace(PLAIN.schedule, chunks=1 + number))
        for number in range(count)
    ]


@pytest.mark.parametrize("disturb", [kill, freeze])
def test_what_a_lost_device_had_is_measured_when_it_is_back(disturb):
    task, target = sample()
    with ExitStack() as stack:
        address, process = stack.enter_context(serving())
        place = DevicePlace(address=address, threads=1, wait_s=240, silent_s=10)
        shop = stack.enter_context(Workshop(target, 1, place=place, limits=LIMITS))
        trials = shop.measure(task, points_of(6), turns=200)
        found = [next(trials)]
        disturb(process)
        if disturb is freeze:  # until the trial is given up, at least
            threading.Event().wait(15)
        kill(process)
        stack.enter_context(serving(port=address.port))
        found += trials
    assert [each.error for each in found] == [""] * 6
    assert all(each.seconds for each in found)


def test_a_device_that_stays_frozen_ends_the_search(monkeypatch):
    monkeypatch.setattr(greet, "_ANSWER_S", 0.5)
    monkeypatch.setattr(module, "WAIT_S", 5.0)
    task, target = sample()
    with serving() as (address, process):
        place = DevicePlace(address=address, threads=1, wait_s=1, silent_s=5)
        with Workshop(target, 1, place=place, limits=LIMITS) as shop:
            trials = shop.measure(task, points_of(3), turns=200)
            assert next(trials).seconds
            freeze(process)
            with pytest.raises(DeviceError, match="does not answer"):
                list(trials)


def test_two_devices_of_a_key_measure_at_the_same_time_and_one_goes_on_alone():
    task, target = sample()
    with tracking("rasp") as tracker, ExitStack() as stack:
        servers = [stack.enter_context(serving(key="rasp", tracker=tracker)) for _ in range(2)]
        wait_until(lambda: free_devices_of(tracker) == 2)
        place = DevicePlace(address=tracker, threads=1, wait_s=15)
        shop = stack.enter_context(Workshop(target, 1, place=place, devices=2, limits=LIMITS))
        trials = shop.measure(task, points_of(8))
        next(trials)
        wait_until(lambda: free_devices_of(tracker) == 0)
        assert all(each.seconds for each in trials)
        with pytest.raises(DeviceError, match="all devices are in use"):
            connect(tracker)
        kill(servers[0][1])
        assert [each.error for each in shop.measure(task, points_of(8))] == [""] * 8
