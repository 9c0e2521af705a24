"""Asks an address whether TVM's RPC server is there and free, without ever waiting for long.

TVM's own client waits for ever where a server is busy, and says little where it is not one.
"""

from __future__ import annotations

import socket
import struct

from tvm_patdnn.device.address import DeviceAddress
from tvm_patdnn.errors import DeviceError

__all__ = ["probe", "reach"]

_MAGIC, _MISMATCH = 0xFF271, 0xFF271 + 2  # of TVM's protocol
_ANSWER_S = 5.0


def reach(address: DeviceAddress) -> None:
    """Checks that somebody listens there.

    Raises:
        DeviceError: nobody does.
    """
    _connected(address).close()


def probe(address: DeviceAddress) -> None:
    """Checks that a server is there, has this key and no other client.

    Raises:
        DeviceError: it is not so.
    """
    key = f"client:{address.key}".encode()
    with _connected(address) as connection:
        try:
            connection.sendall(struct.pack("<ii", _MAGIC, len(key)) + key)
            code = struct.unpack("<i", _received(connection, 4))[0]
            if code == _MAGIC:
                _received(connection, struct.unpack("<i", _received(connection, 4))[0])
        except TimeoutError:
            raise DeviceError(
                f"{address}: does not answer; another client may be using it: wait until that ends"
            ) from None
        except (OSError, struct.error):
            code = None
    if code == _MISMATCH:
        raise DeviceError(
            f"{address}: has another key than '{address.key}'; give the --key it was started with"
        )
    if code != _MAGIC:
        raise DeviceError(
            f"{address}: is no RPC server of TVM; start `tvm-patdnn serve` on the device"
        )


def _connected(address: DeviceAddress) -> socket.socket:
    try:
        return socket.create_connection((address.host, address.port), timeout=_ANSWER_S)
    except OSError as error:
        what = "tracker" if address.tracked else "`tvm-patdnn serve` on the device"
        raise DeviceError(
            f"{address}: nobody is there ({error.strerror or error}); start {what}, and check "
            "the address, the port and the firewall"
        ) from error


def _received(connection: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        part = connection.recv(count - len(found))
        if not part:
            raise ConnectionError("closed")
        found += part
    return found
