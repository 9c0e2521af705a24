"""What the program carries, and when it gives up: sockets alone, no server."""

from __future__ import annotations

import socket
import struct
import threading

import pytest

from tvm_patdnn.device.relay_process import Answers, carry

SILENT, GONE = b"silent", b"gone"


@pytest.fixture
def ends():
    """The client's and the device's end, and what ``carry`` returns."""
    (client, its), (device, others) = socket.socketpair(), socket.socketpair()
    said: list[bytes] = []
    others.settimeout(0.2)

    def serve() -> None:
        said.append(carry(its, others, 0.2, silent=SILENT, gone=GONE))

    thread = threading.Thread(target=serve)
    thread.start()

    def end() -> bytes:
        thread.join(20)
        return said[0]

    yield client, device, end
    for each in (client, its, device, others):
        each.close()


def packet(content: bytes) -> bytes:
    return struct.pack("<Q", len(content)) + content


def test_question_and_answer(ends):
    client, device, end = ends
    client.sendall(packet(b"question"))
    assert device.recv(100) == packet(b"question")
    device.sendall(packet(b"answer"))
    assert client.recv(100) == packet(b"answer")
    client.close()
    assert end() == b""


def test_no_answer(ends):
    client, _, end = ends
    client.sendall(packet(b"question"))
    assert end() == SILENT


def test_an_answer_that_stops_in_the_middle(ends):
    client, device, end = ends
    client.sendall(packet(b"question"))
    device.sendall(packet(b"answer")[:-1])
    assert end() == SILENT


def test_a_device_that_does_not_listen(ends):
    client, _, end = ends
    client.settimeout(20)
    with pytest.raises(OSError):  # noqa: PT012
        client.sendall(packet(bytes(1 << 24)))
        assert end() == SILENT
        raise OSError("it has taken all")


def test_a_device_that_hangs_up_before_its_answer(ends):
    client, device, end = ends
    client.sendall(packet(b"question"))
    device.recv(100)
    device.close()
    assert end() == GONE


def test_a_device_that_hangs_up_when_nobody_waits(ends):
    ends[1].close()
    assert ends[2]() == b""


@pytest.mark.parametrize("size", [1, 3, 8, 100])
def test_answers_in_pieces(size):
    whole = packet(b"one") + packet(b"") + packet(b"three" * 10)
    answers = Answers()
    pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
    states = [answers.is_unfinished_after(piece) for piece in pieces]
    assert not states[-1]
    assert states.count(True) >= len(pieces) - 3
