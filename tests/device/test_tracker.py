"""Trackers that are silent, refuse, or are something else: sockets that answer so."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import contextmanager
from dataclasses import replace

import pytest
from tvm.rpc import base

from tvm_patdnn.device import greet
from tvm_patdnn.device.address import DeviceAddress
from tvm_patdnn.device.tracker import find_device, free_devices_of
from tvm_patdnn.errors import DeviceError

SUMMARY = {
    "server_info": [{"key": "server:rasp"}, {"key": "server:phone"}],
    "queue_info": {"rasp": {"free": 2}},
}


@contextmanager
def tracker(*answers: object, magic: int = base.RPC_TRACKER_MAGIC):
    """Gives one answer to each question; None is silence."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for answer in answers:
                connection, _ = server.accept()
                with connection:
                    base.recvall(connection, 4)
                    connection.sendall(struct.pack("<i", magic))
                    if magic == base.RPC_TRACKER_MAGIC:
                        base.recvjson(connection)
                        if answer is None:
                            connection.recv(1)
                        else:
                            base.sendjson(connection, answer)

        thread = threading.Thread(target=serve)
        thread.start()
        port = server.getsockname()[1]
        yield DeviceAddress(host="127.0.0.1", port=port, key="rasp", tracked=True)
        thread.join(10)


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(greet, "_ANSWER_S", 0.3)


def test_devices_that_are_free():
    with tracker([0, SUMMARY], [0, SUMMARY]) as address:
        assert free_devices_of(address) == 2
        assert free_devices_of(replace(address, key="phone")) == 0


def test_a_device_is_found():
    with tracker([0, SUMMARY], [0, ["10.0.0.7", 9091, "rasp:0.5"]]) as address:
        found = find_device(address)
    assert (found.host, found.port, found.key) == ("10.0.0.7", 9091, "rasp:0.5")


def test_another_client_was_faster():
    with (
        tracker([0, SUMMARY], None) as address,
        pytest.raises(DeviceError, match="all devices are in use"),
    ):
        find_device(address)


def test_a_tracker_that_is_frozen():
    with tracker(None) as address, pytest.raises(DeviceError, match="the tracker does not answer"):
        free_devices_of(address)


def test_a_tracker_that_refuses():
    with (
        tracker([-1, "no such thing"]) as address,
        pytest.raises(DeviceError, match="the tracker refuses: no such thing"),
    ):
        free_devices_of(address)


def test_no_tracker():
    with (
        tracker(None, magic=7) as address,
        pytest.raises(DeviceError, match="is no tracker of TVM: it answers something else"),
    ):
        free_devices_of(address)
