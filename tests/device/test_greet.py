"""Asking addresses where something else is, or nothing."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager

import pytest

from tvm_patdnn.device import greet as module
from tvm_patdnn.device.address import DeviceAddress
from tvm_patdnn.device.greet import greet, reach
from tvm_patdnn.errors import DeviceError


@contextmanager
def answering(answer: bytes | None):
    """A server that answers so to whatever it is asked; with None it keeps silent."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.recv(100)
                if answer is None:
                    connection.recv(1)
                else:
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield DeviceAddress(host="127.0.0.1", port=server.getsockname()[1])
    thread.join(5)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400\r\n", b"\x00\x00"])
def test_something_else_is_there(answer):
    expected = pytest.raises(DeviceError, match="is no RPC server of TVM; start `tvm-patdnn serve`")
    with answering(answer) as address, expected:
        greet(address, "")


def test_nothing_answers(monkeypatch):
    monkeypatch.setattr(module, "_ANSWER_S", 0.1)
    expected = pytest.raises(DeviceError, match="does not answer; another client may be using it")
    with answering(None) as address, expected:
        greet(address, "")


@pytest.mark.parametrize("tracked", [False, True])
def test_nobody_is_there(tracked):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    address = DeviceAddress(host="127.0.0.1", port=port, tracked=tracked)
    what = "start tracker" if tracked else "start `tvm-patdnn serve` on the device"
    with pytest.raises(DeviceError, match=f"nobody is there .*; {what}, and check"):
        reach(address)
