"""Sessions with a device that falls silent, or goes away: real servers, which are stopped."""

from __future__ import annotations

import time

import numpy as np
import psutil
import pytest
import tvm

from tests.built import inputs, library, require_linker
from tests.device.servers import freeze, kill, serving
from tvm_patdnn.device import greet
from tvm_patdnn.device.connect import connect
from tvm_patdnn.errors import DeviceError, LibraryError

pytest.importorskip("cloudpickle")
SILENT_S = 1.5


@pytest.fixture
def server():
    with serving() as found:
        yield found


def test_a_device_that_freezes_is_given_up(server, monkeypatch):
    monkeypatch.setattr(greet, "_ANSWER_S", 0.5)
    address, process = server
    require_linker(library())
    model = library().on_device(connect(address, silent_s=SILENT_S))
    freeze(process)
    begun = time.monotonic()
    with pytest.raises(LibraryError, match="did not run to its end: the device has been silent"):
        model.run(inputs())
    with pytest.raises(LibraryError, match="did not run to its end"):  # and at once
        model.time(inputs())
    del model
    assert time.monotonic() - begun < 60
    with pytest.raises(DeviceError, match="does not answer; .* or it is frozen"):
        connect(address)


def test_a_device_that_goes_away(server):
    address, process = server
    session = connect(address)
    far = tvm.runtime.tensor(np.zeros(4, np.float32), session.cpu(0))
    kill(process)
    with pytest.raises(Exception, match="."):
        far.numpy()


def test_much_is_sent_both_ways(server):
    session = connect(server[0], silent_s=60)
    sent = np.random.default_rng(0).random(1 << 20)
    found = tvm.runtime.tensor(sent, session.cpu(0)).numpy()
    assert (found == sent).all()


def test_who_asks_nothing_for_long_keeps_the_session(server):
    session = connect(server[0], silent_s=0.5)
    time.sleep(1.0)
    assert session.get_function("runtime.config_threadpool")


def test_nothing_is_left_of_a_session(server):
    before = {each.pid for each in psutil.process_iter()}
    session = connect(server[0])
    del session
    end = time.monotonic() + 30
    while any("relay_process" in word for word in words_of_new(before)):
        assert time.monotonic() < end
        time.sleep(0.1)


def words_of_new(before):
    for each in psutil.process_iter():
        if each.pid not in before:
            try:
                yield from each.cmdline()
            except psutil.Error:
                continue
