"""Starts what stands between TVM's client and a device, and hangs up where the device is silent.

TVM's client waits for an answer for ever: a board that is frozen, or was unplugged, would hang the
program. A process of its own carries the session, as threads of this one stand still while TVM
waits.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import tvm_ffi

__all__ = ["relay"]

_PROGRAM = Path(__file__).with_name("relay_process.py")
_PACKET = 1 << 16  # bytes; a complaint has fewer


def relay(device: socket.socket, silent_s: float) -> int:
    """Starts to carry one session; it ends with the session.

    Args:
        device: a connection on which the server has been greeted; it is taken over.
        silent_s: seconds that the device may take to answer.

    Returns:
        The port of this machine on which TVM's client finds the session.
    """
    complaints = (f"the device has been silent for {silent_s:g} s", "the device has gone away")
    packets = [_packet(complaint).hex() for complaint in complaints]
    with device, socket.create_server(("127.0.0.1", 0)) as listener:
        files = (device.fileno(), listener.fileno())
        words = [*map(str, files), str(silent_s), *packets]
        subprocess.run([sys.executable, "-IS", _PROGRAM, *words], pass_fds=files, check=True)
        return int(listener.getsockname()[1])


def _packet(complaint: str) -> bytes:
    """Returns what a device would send whose call has failed so."""
    ours, its = socket.socketpair()
    with ours, its:
        tvm_ffi.get_global_func("rpc.ReturnException")(its.fileno(), complaint)
        return ours.recv(_PACKET)
