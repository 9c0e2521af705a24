"""A device as a place where kernels are measured."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tvm

from tvm_patdnn.device.address import DeviceAddress
from tvm_patdnn.device.connect import SILENT_S, connect
from tvm_patdnn.library.library import Library
from tvm_patdnn.library.load_on_device import compute_on
from tvm_patdnn.library.running import RunnableModel

__all__ = ["DevicePlace"]


@dataclass(frozen=True, kw_only=True)
class DevicePlace:
    """See ``Place``. Each process that uses it has a session of its own, and keeps it.

    Attributes:
        threads: that compute.
        wait_s: seconds to wait for a device that went away.
        silent_s: seconds that one call may take there.

    Raises:
        DeviceError: it did not come back; by any use.
    """

    address: DeviceAddress
    threads: int
    wait_s: float
    silent_s: float = SILENT_S

    @property
    def device(self) -> Any:
        """See ``Place``."""
        return self._session().cpu(0)

    def tensor(self, array: np.ndarray) -> Any:
        """See ``Place``."""
        return tvm.runtime.tensor(array, self.device)

    def load(self, library: Path) -> Any:
        """See ``Place``."""
        name = f"{uuid.uuid4().hex}.so"  # another than that of any library it has loaded
        session = self._session()
        session.upload(str(library), name)
        return session.load_module(name)

    def network(self, library: Library) -> RunnableModel:
        """See ``Place``."""
        return library.on_device(self._session())

    def is_alive(self) -> bool:
        """See ``Place``."""
        session = _SESSIONS.get(self.address)
        try:
            if session is not None:
                session.get_function("runtime.config_threadpool")
        except Exception:  # any: what a dead session raises has any class
            _SESSIONS.pop(self.address)
            return False
        return True

    def release(self) -> None:
        """See ``Place``."""
        _SESSIONS.pop(self.address, None)

    def _session(self) -> Any:
        if self.address not in _SESSIONS:
            session = connect(self.address, wait_s=self.wait_s, silent_s=self.silent_s)
            compute_on(session, self.threads)
            _SESSIONS[self.address] = session
        return _SESSIONS[self.address]


_SESSIONS: dict[DeviceAddress, Any] = {}
