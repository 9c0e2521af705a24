"""Opens a connection to an RPC server of TVM, or says what is there instead; never waits for long.

TVM's own client waits for ever where a server is busy or frozen, and says little where there is
none.
"""

from __future__ import annotations

import socket
import struct

from tvm_patdnn.device.address import DeviceAddress
from tvm_patdnn.errors import DeviceError

__all__ = ["greet", "open_connection", "reach", "receive"]

_MAGIC, _MISMATCH = 0xFF271, 0xFF271 + 2  # of TVM's protocol
_ANSWER_S = 5.0


def reach(address: DeviceAddress) -> None:
    """Checks that somebody listens there.

    Raises:
        DeviceError: nobody does.
    """
    open_connection(address).close()


def open_connection(address: DeviceAddress) -> socket.socket:
    """Returns a connection that waits a few seconds for each answer, whoever is there.

    Raises:
        DeviceError: nobody is.
    """
    try:
        return socket.create_connection((address.host, address.port), timeout=_ANSWER_S)
    except OSError as error:
        what = "tracker" if address.tracked else "`tvm-patdnn serve` on the device"
        raise DeviceError(
            f"{address}: nobody is there ({error.strerror or error}); start {what}, and check "
            "the address, the port and the firewall"
        ) from error


def greet(address: DeviceAddress, key: str) -> socket.socket:
    """Returns a connection to a server that has this key and serves nobody else now.

    Raises:
        DeviceError: nobody is there, it is no such server, or has another client.
    """
    connection = open_connection(address)
    try:
        code = _answer(connection, f"client:{key}".encode(), address)
        if code == _MISMATCH:
            raise DeviceError(
                f"{address}: has another key than '{address.key}'; give the --key it was started "
                "with"
            )
        if code != _MAGIC:
            raise DeviceError(
                f"{address}: is no RPC server of TVM; start `tvm-patdnn serve` on the device"
            )
    except DeviceError:
        connection.close()
        raise
    return connection


def _answer(connection: socket.socket, key: bytes, address: DeviceAddress) -> int | None:
    """Returns what a server answers to a client with this key; None where it makes no sense."""
    try:
        connection.sendall(struct.pack("<ii", _MAGIC, len(key)) + key)
        code = struct.unpack("<i", receive(connection, 4))[0]
        if code == _MAGIC:
            receive(connection, struct.unpack("<i", receive(connection, 4))[0])
    except TimeoutError:
        raise DeviceError(
            f"{address}: does not answer; another client may be using it: wait until that ends; "
            "or it is frozen: start its server again"
        ) from None
    except (OSError, struct.error):
        return None
    return code


def receive(connection: socket.socket, count: int) -> bytes:
    """Returns the next bytes.

    Raises:
        OSError: they do not come.
    """
    found = b""
    while len(found) < count:
        part = connection.recv(count - len(found))
        if not part:
            raise ConnectionError("closed")
        found += part
    return found
