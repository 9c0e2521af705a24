"""Asks TVM's tracker for devices; TVM's own client waits for ever for a busy or frozen one."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from tvm.rpc import base

from tvm_patdnn.device.address import DeviceAddress
from tvm_patdnn.device.greet import open_connection
from tvm_patdnn.error_lines import last_line
from tvm_patdnn.errors import DeviceError

__all__ = ["FoundDevice", "find_device", "free_devices_of"]


@dataclass(frozen=True, kw_only=True)
class FoundDevice:
    """A device that the tracker keeps for who has asked.

    Attributes:
        key: that it knows the one by.
    """

    host: str
    port: int
    key: str


def free_devices_of(address: DeviceAddress) -> int:
    """Returns how many devices of a key nobody uses.

    Raises:
        DeviceError: there is no tracker, or no device of the key.
    """
    summary = _ask(address, [base.TrackerCode.SUMMARY])
    keys = sorted({info["key"].partition(":")[2] for info in summary["server_info"]})
    if address.key not in keys:
        raise DeviceError(
            f"{address}: no device has this key; those there: {', '.join(keys) or 'none'}"
        )
    return int(summary["queue_info"].get(address.key, {}).get("free", 0))


def find_device(address: DeviceAddress) -> FoundDevice:
    """Takes a device.

    Raises:
        DeviceError: there is no tracker, no device of the key, or others use all of them.
    """
    busy = f"{address}: all devices are in use; wait until another client ends"
    if free_devices_of(address) < 1:
        raise DeviceError(busy)
    try:
        host, port, key = _ask(address, [base.TrackerCode.REQUEST, address.key, "", 1])
    except TimeoutError:  # another was faster
        raise DeviceError(busy) from None
    return FoundDevice(host=host, port=port, key=key)


def _ask(address: DeviceAddress, question: list[Any]) -> Any:
    try:
        with open_connection(address) as connection:
            connection.sendall(struct.pack("<i", base.RPC_TRACKER_MAGIC))
            if struct.unpack("<i", base.recvall(connection, 4))[0] != base.RPC_TRACKER_MAGIC:
                raise ValueError("it answers something else")
            base.sendjson(connection, question)
            code, answer = base.recvjson(connection)
    except TimeoutError:
        if question[0] == base.TrackerCode.REQUEST:
            raise
        raise DeviceError(f"{address}: the tracker does not answer; start it again") from None
    except (OSError, ValueError, struct.error) as error:
        raise DeviceError(f"{address}: is no tracker of TVM: {last_line(error)}") from error
    if code != base.TrackerCode.SUCCESS:
        raise DeviceError(f"{address}: the tracker refuses: {answer}")
    return answer
