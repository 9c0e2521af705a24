"""The program that carries a session between TVM's client and a device: see ``relay``.

It is run by its path and imports the standard library alone.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import sys
import time
from contextlib import suppress

__all__ = ["Answers", "carry", "main"]

_PIECE = 1 << 18  # bytes
_CLIENT_S = 60.0  # for the client to connect: it is about to


def main(device_file: str, listener_file: str, silent_s: str, *complaints: str) -> None:
    """Goes on in the background, so that nobody has to wait for it, until the session ends."""
    if os.fork():
        return
    os.setsid()  # what interrupts the program does not interrupt its sessions
    device, listener = (socket.socket(fileno=int(each)) for each in (device_file, listener_file))
    device.settimeout(float(silent_s))
    listener.settimeout(_CLIENT_S)
    with suppress(OSError, struct.error):
        client = listener.accept()[0]
        listener.close()
        client.settimeout(None)
        for each in (client, device):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _welcome(client)
        silent, gone = map(bytes.fromhex, complaints)
        client.sendall(carry(client, device, float(silent_s), silent=silent, gone=gone))


def _welcome(client: socket.socket) -> None:
    """Answers the client's greeting: the server behind has been asked already."""
    magic, size = struct.unpack("<ii", client.recv(8, socket.MSG_WAITALL))
    answer = client.recv(size, socket.MSG_WAITALL).replace(b"client:", b"server:", 1)
    client.sendall(struct.pack("<ii", magic, len(answer)) + answer)


def carry(
    client: socket.socket, device: socket.socket, silent_s: float, *, silent: bytes, gone: bytes
) -> bytes:
    """Carries until one side hangs up, or the device does not answer.

    Args:
        device: with ``silent_s`` as its timeout.
        silent, gone: the last words to a client that waits for an answer.

    Returns:
        Which of these are due; nothing where the client does not wait.
    """
    answers = Answers()
    end: float | None = None  # until when an answer has to come
    while True:
        left = None if end is None else max(0.0, end - time.monotonic())
        ready = select.select([client, device], [], [], left)[0]
        if not ready:
            return silent
        source, other = (client, device) if client in ready else (device, client)
        piece = _received(source)
        if not piece:
            return gone if source is device and end is not None else b""
        try:
            other.sendall(piece)
        except TimeoutError:
            return silent
        except OSError:
            return gone
        awaited = source is client or answers.is_unfinished_after(piece)
        end = time.monotonic() + silent_s if awaited else None


def _received(source: socket.socket) -> bytes:
    try:
        return source.recv(_PIECE)
    except OSError:  # such as a reset
        return b""


class Answers:
    """Follows what the device sends: packets, each behind 8 bytes that hold its size."""

    def __init__(self) -> None:
        self._left, self._head = 0, b""

    def is_unfinished_after(self, piece: bytes) -> bool:
        """Returns whether more has to come."""
        rest = memoryview(piece)
        while rest:
            if self._left:
                taken = min(self._left, len(rest))
                self._left -= taken
            else:
                taken = 8 - len(self._head)
                self._head += bytes(rest[:taken])
                if len(self._head) == 8:
                    self._left, self._head = struct.unpack("<Q", self._head)[0], b""
            rest = rest[taken:]
        return bool(self._left or self._head)


if __name__ == "__main__":
    main(*sys.argv[1:])
