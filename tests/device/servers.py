"""Real servers and trackers on this machine, as processes of their own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tvm_patdnn.device.address import DeviceAddress
from tvm_patdnn.device.greet import reach
from tvm_patdnn.errors import DeviceError

__all__ = ["free_port", "freeze", "kill", "serving", "tracking", "wait_until"]

ROOT = Path(__file__).parents[2]
_START_S = 400


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@contextmanager
def serving(
    port: int | None = None, key: str = "", tracker: DeviceAddress | None = None, **env: str
) -> Iterator[tuple[DeviceAddress, subprocess.Popen]]:
    """`tvm-patdnn serve`, and its address."""
    address = DeviceAddress(host="127.0.0.1", port=port or free_port(), key=key)
    words = ["--host", address.host, "--port", str(address.port), "--key", key]
    if tracker is not None:
        words += ["--tracker", f"{tracker.host}:{tracker.port}"]
    with _running(["tvm_patdnn", "serve", *words], address, env) as process:
        yield address, process


@contextmanager
def tracking(key: str) -> Iterator[DeviceAddress]:
    """TVM's tracker, and the address of devices with this key there."""
    address = DeviceAddress(host="127.0.0.1", port=free_port(), key=key, tracked=True)
    words = ["--host", address.host, "--port", str(address.port)]
    words += ["--port-end", str(address.port + 1)]
    with _running(["tvm.exec.rpc_tracker", *words], address, {}):
        yield address


def freeze(process: subprocess.Popen) -> None:
    """Stops a server and all that it has started: they are there and do nothing."""
    os.killpg(process.pid, signal.SIGSTOP)


def kill(process: subprocess.Popen) -> None:
    """Ends a server and all that it has started, at once."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def _running(
    words: list[str], address: DeviceAddress, env: dict[str, str]
) -> Iterator[subprocess.Popen]:
    process = subprocess.Popen(
        [sys.executable, "-m", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT), "TVM_NUM_THREADS": "1", **env},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait(address, process)
        yield process
    finally:
        kill(process)


def _wait(address: DeviceAddress, process: subprocess.Popen) -> None:
    end = time.monotonic() + _START_S
    while True:
        try:
            reach(address)
            return
        except DeviceError:
            if process.poll() is not None or time.monotonic() > end:
                raise
            time.sleep(0.2)


def wait_until(condition: Callable[[], bool]) -> None:
    """Waits until ``condition`` holds and asks no device that is not there; at most 30 seconds."""
    for _ in range(300):
        with suppress(DeviceError):
            if condition():
                return
        time.sleep(0.1)
    raise AssertionError("it did not come")
