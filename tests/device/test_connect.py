"""Sessions with real servers: those that work, and every way in which they do not."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace

import psutil
import pytest
import tvm

from tests.device.servers import kill, serving, tracking
from tvm_patdnn.device import connect as module
from tvm_patdnn.device.connect import connect, free_devices
from tvm_patdnn.device.device import Device
from tvm_patdnn.device.device_facts import DeviceFacts
from tvm_patdnn.device.greet import reach
from tvm_patdnn.errors import DeviceError

pytest.importorskip("cloudpickle")
pytest.importorskip("tornado")


@pytest.fixture(scope="module")
def server():
    with serving(key="pi") as found:
        yield found


@pytest.fixture
def address(server):
    return server[0]


def test_a_device_says_what_it_is(address):
    facts = Device(address).facts
    assert facts.tvm == tvm.__version__
    assert facts.target["kind"] == "llvm"
    assert facts.target["num-cores"] == facts.cores >= 1
    assert free_devices(address) == 1


def test_another_key(address):
    with pytest.raises(DeviceError, match="has another key than 'po'; give the --key"):
        connect(replace(address, key="po"))


def test_another_version(address, monkeypatch):
    other = DeviceFacts(tvm="0.1", machine="x86_64", cores=1)
    monkeypatch.setattr(module, "facts_of", lambda session: other)
    with pytest.raises(DeviceError, match="has TVM 0.1, this is .*; install the same there"):
        connect(address)


def test_one_client_at_a_time(address, monkeypatch):
    from tvm_patdnn.device import greet

    monkeypatch.setattr(greet, "_ANSWER_S", 1.0)
    session = connect(address, wait_s=30)
    with pytest.raises(DeviceError, match="another client may be using it"):
        connect(address)
    del session
    connect(address, wait_s=30)


def test_a_session_that_crashes_ends_alone(server):
    address, process = server
    session = connect(address, wait_s=30)
    before = serving_children(process)
    for child in before[1:]:
        os.kill(child.pid, signal.SIGKILL)
    with pytest.raises(Exception, match=".*"):
        session.get_function("runtime.config_threadpool")
    del session
    assert facts_later(address).tvm == tvm.__version__


def test_it_ends_whole_and_its_port_is_free_again():
    with serving() as (address, process):
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 143
        _, alive = psutil.wait_procs(children, timeout=10)
        assert alive == []
        with pytest.raises(DeviceError, match="nobody is there"):
            reach(address)


def test_a_device_that_comes_back_is_waited_for():
    with serving() as (address, process):
        kill(process)
        with pytest.raises(DeviceError, match="nobody is there"):
            connect(address, wait_s=0.1)
        with serving(port=address.port):
            assert connect(address, wait_s=60)


def test_a_port_that_is_taken(address):
    from tvm_patdnn.device.serve import start_server

    with pytest.raises(DeviceError, match="cannot be listened on; another server may be there"):
        start_server(address.host, address.port)


def test_through_a_tracker():
    with tracking("rasp") as tracker:
        with pytest.raises(DeviceError, match="no device has this key; those there: none"):
            connect(tracker)
        with serving(key="rasp", tracker=tracker):
            session = connect(tracker, wait_s=60)
            with pytest.raises(DeviceError, match="all devices are in use"):
                connect(tracker)
            with pytest.raises(DeviceError, match="no device has this key; those there: rasp"):
                connect(replace(tracker, key="other"))
            del session
            assert facts_later(tracker).tvm == tvm.__version__


def test_what_is_no_tracker(address):
    with pytest.raises(DeviceError, match="is no tracker of TVM"):
        connect(replace(address, tracked=True))


def serving_children(process):
    return psutil.Process(process.pid).children(recursive=True)


def facts_later(address):
    connect(address, wait_s=60)
    time.sleep(1)
    end = time.monotonic() + 30
    while True:
        try:
            return Device(address).facts
        except DeviceError:
            if time.monotonic() > end:
                raise
            time.sleep(0.5)
