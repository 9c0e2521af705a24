"""Connects to a device, or says why that is not possible."""

from __future__ import annotations

import time
from dataclasses import replace

import tvm
from tvm import rpc

from tvm_patdnn.device.address import DeviceAddress
from tvm_patdnn.device.device_facts import facts_of
from tvm_patdnn.device.greet import greet
from tvm_patdnn.device.relay import relay
from tvm_patdnn.device.tracker import find_device, free_devices_of
from tvm_patdnn.error_lines import last_line
from tvm_patdnn.errors import DeviceError

__all__ = ["SILENT_S", "connect", "free_devices"]

SILENT_S = 120.0

_AGAIN_S = 1.0


def connect(
    address: DeviceAddress, *, wait_s: float = 0.0, silent_s: float = SILENT_S
) -> rpc.RPCSession:
    """Opens a session.

    Args:
        wait_s: seconds to wait for a device that is away or busy.
        silent_s: seconds that one call may take there; then the session ends with an error.

    Raises:
        DeviceError: there is none, it has another key, is busy, or has another version of TVM.
    """
    end = time.monotonic() + wait_s
    while True:
        try:
            session = _open(address, silent_s)
            break
        except DeviceError:
            if time.monotonic() >= end:
                raise
        time.sleep(_AGAIN_S)
    facts = facts_of(session)
    if facts is not None and _release(facts.tvm) != _release(tvm.__version__):
        raise DeviceError(
            f"{address}: has TVM {facts.tvm}, this is {tvm.__version__}; install the same there"
        )
    return session


def _release(version: str) -> str:
    """Returns a version without what only concerns its Python package."""
    return version.partition(".post")[0]


def free_devices(address: DeviceAddress) -> int:
    """Returns how many devices of an address can be used now.

    Raises:
        DeviceError: see ``connect``.
    """
    if address.tracked:
        return free_devices_of(address)
    greet(address, address.key).close()
    return 1


def _open(address: DeviceAddress, silent_s: float) -> rpc.RPCSession:
    place, key = address, address.key
    if address.tracked:
        found = find_device(address)
        place, key = replace(address, host=found.host, port=found.port), found.key
    port = relay(greet(place, key), silent_s)
    try:
        return rpc.connect("127.0.0.1", port, key)
    except (RuntimeError, OSError) as error:
        raise DeviceError(f"{address}: does not connect: {last_line(error)}") from error
