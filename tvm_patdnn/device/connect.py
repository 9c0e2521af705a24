"""Connects to a device, or says why that is not possible."""

from __future__ import annotations

import time

import tvm
from tvm import rpc

from tvm_patdnn.device.address import DeviceAddress
from tvm_patdnn.device.device_facts import DeviceFacts, facts_of
from tvm_patdnn.device.probe import probe, reach
from tvm_patdnn.error_lines import last_line
from tvm_patdnn.errors import DeviceError

__all__ = ["connect", "free_devices", "known_facts"]

_AGAIN_S = 1.0


def connect(address: DeviceAddress, *, wait_s: float = 0.0) -> rpc.RPCSession:
    """Opens a session.

    Args:
        wait_s: seconds to wait for a device that is away or busy.

    Raises:
        DeviceError: there is none, it has another key, is busy, or has another version of TVM.
    """
    end = time.monotonic() + wait_s
    while True:
        try:
            session = _tracked(address) if address.tracked else _direct(address)
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


def known_facts(address: DeviceAddress) -> DeviceFacts:
    """Asks a device what it is.

    Raises:
        DeviceError: see ``connect``; or its server does not say.
    """
    facts = facts_of(connect(address))
    if facts is None:
        raise DeviceError(
            f"{address}: its server does not say what it runs on; give --target, or start "
            "`tvm-patdnn serve` there"
        )
    return facts


def _direct(address: DeviceAddress) -> rpc.RPCSession:
    probe(address)
    try:
        return rpc.connect(address.host, address.port, key=address.key)
    except (RuntimeError, OSError) as error:
        raise DeviceError(f"{address}: does not connect: {last_line(error)}") from error


def free_devices(address: DeviceAddress) -> int:
    """Returns how many devices of an address can be used now.

    Raises:
        DeviceError: see ``connect``.
    """
    if not address.tracked:
        probe(address)
        return 1
    return _tracker(address)[1]


def _tracker(address: DeviceAddress) -> tuple[rpc.TrackerSession, int]:
    """Returns the tracker, and how many devices of the key it has."""
    reach(address)
    try:
        tracker = rpc.connect_tracker(address.host, address.port)
        summary = tracker.summary()
    except (RuntimeError, OSError) as error:
        raise DeviceError(f"{address}: is no tracker of TVM: {last_line(error)}") from error
    keys = sorted({info["key"].partition(":")[2] for info in summary["server_info"]})
    if address.key not in keys:
        raise DeviceError(
            f"{address}: no device has this key; those there: {', '.join(keys) or 'none'}"
        )
    return tracker, int(summary["queue_info"].get(address.key, {}).get("free", 0))


def _tracked(address: DeviceAddress) -> rpc.RPCSession:
    tracker, free = _tracker(address)
    if free < 1:
        raise DeviceError(f"{address}: all devices are in use; wait until another client ends")
    try:
        return tracker.request(address.key, max_retry=1)
    except (RuntimeError, OSError) as error:
        raise DeviceError(f"{address}: does not connect: {last_line(error)}") from error
