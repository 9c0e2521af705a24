"""TVM's RPC server on a board with Python, so that it outlives what is tried on it.

TVM's server ends when a session crashes, and its process outlives the one that started it.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import tvm
import tvm_ffi

from tvm_patdnn.device.address import DeviceAddress
from tvm_patdnn.device.device_facts import FACTS_FUNCTION
from tvm_patdnn.device.kernel_times import KERNEL_TIMES_FUNCTION, kernel_times
from tvm_patdnn.errors import DeviceError
from tvm_patdnn.machine.cores import physical_cores
from tvm_patdnn.machine.host_cpu import host_caches, host_config
from tvm_patdnn.machine.threads import use_all_cores

__all__ = ["facts_here", "start_server"]

_CPUINFO = Path("/proc/cpuinfo")
_WATCH_S = 1.0
_AGAIN_S = 2.0


def start_server(host: str, port: int, key: str = "", tracker: DeviceAddress | None = None) -> Any:
    """Starts the server in a process of its own; ``proc.join()`` waits for it.

    Args:
        host: the address on which it listens.
        tracker: that hands it out.

    Raises:
        DeviceError: it cannot listen there, or a package is missing.
    """
    use_all_cores()
    try:
        from tvm import rpc

        return rpc.Server(
            host,
            port,
            port + 1,
            key=key,
            tracker_addr=(tracker.host, tracker.port) if tracker else None,
            load_library=_more_functions(),
            server_init_callback=_harden,
            silent=True,
        )
    except ImportError as error:
        raise DeviceError(
            f"the server needs {error.name}, which is not installed; run "
            "pip install 'tvm-patdnn[device]'"
        ) from error
    except (RuntimeError, ValueError, OSError) as error:
        raise DeviceError(
            f"{host}:{port}: cannot be listened on; another server may be there: give --port"
        ) from error


def facts_here() -> str:
    """Returns what a client is told of this machine, as JSON."""
    facts: dict[str, Any] = {
        "tvm": tvm.__version__,
        "machine": platform.machine(),
        "cores": physical_cores(),
        "caches": host_caches(),
        "cpuinfo": _CPUINFO.read_text(errors="replace") if _CPUINFO.exists() else "",
    }
    with suppress(AttributeError, ValueError):  # where only TVM's runtime is
        facts["config"] = {**host_config(), "num-cores": facts["cores"]}
    return json.dumps(facts)


def _more_functions() -> str | None:
    """Returns the library that TVM's runtime alone does not load: random numbers and sorting."""
    if not os.environ.get("TVM_USE_RUNTIME_LIB"):
        return None
    found = Path(tvm.__file__).parent / "lib" / "libtvm_runtime_extra.so"
    return str(found) if found.exists() else None


def _harden() -> None:
    """Runs in the process that serves, before it does."""
    from tvm.rpc import server

    tvm_ffi.register_global_func(FACTS_FUNCTION, facts_here, override=True)
    tvm_ffi.register_global_func(KERNEL_TIMES_FUNCTION, kernel_times, override=True)
    server._serving = _surviving(server._serving)
    server._listen_loop = _listening_again(server._listen_loop)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()


def _surviving(serve: Callable[..., None]) -> Callable[..., None]:
    def serving(sock: Any, *args: Any) -> None:
        folder = os.getcwd()
        try:
            serve(sock, *args)
        except RuntimeError as error:  # what it loaded has killed the session
            logging.getLogger(__name__).warning("a session crashed: %s", error)
            os.chdir(folder)
            sock.close()

    return serving


def _listening_again(listen: Callable[..., None]) -> Callable[..., None]:
    def listening(*args: Any) -> None:
        while True:
            try:
                listen(*args)
            except RuntimeError:  # the tracker has been away for long
                time.sleep(_AGAIN_S)

    return listening


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_WATCH_S)
    os._exit(1)
