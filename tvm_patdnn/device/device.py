"""A device to which a session is open: what it is, and where libraries are sent."""

from __future__ import annotations

from functools import cached_property
from types import TracebackType
from typing import Any

from tvm_patdnn.device.address import DeviceAddress
from tvm_patdnn.device.connect import SILENT_S, connect
from tvm_patdnn.device.device_facts import DeviceFacts, facts_of
from tvm_patdnn.errors import DeviceError

__all__ = ["Device"]


class Device:
    """A device on which `tvm-patdnn serve`, or the server in C++, runs.

    It has one client at a time: others wait until the session is closed, by ``close`` or at the
    end of a ``with`` block, and no model that is loaded there is in use.

    Example:
        with tvm_patdnn.Device("raspberrypi.local:9090", key="pi") as device:
            model = tvm_patdnn.build("model.onnx", device.target).on_device(device)
            print(min(model.time(inputs)))

    Attributes:
        address: where it is.
        session: TVM's.
    """

    def __init__(
        self,
        address: str | DeviceAddress,
        *,
        key: str = "",
        tracked: bool = False,
        wait_s: float = 0.0,
        silent_s: float = SILENT_S,
    ) -> None:
        """Opens a session.

        Args:
            address: "host:port".
            key: that its server was started with.
            tracked: whether the address is that of TVM's tracker, which knows it by its key.
            wait_s: seconds to wait for a device that is away or busy.
            silent_s: seconds that one call may take there; then the session ends with an error.

        Raises:
            DeviceError: nobody is there, or it has another key, client, or version of TVM.
        """
        self.address = (
            address
            if isinstance(address, DeviceAddress)
            else DeviceAddress.parse(address, key, tracked=tracked)
        )
        self._session: Any = connect(self.address, wait_s=wait_s, silent_s=silent_s)

    @property
    def session(self) -> Any:
        """TVM's session.

        Raises:
            DeviceError: it is closed.
        """
        if self._session is None:
            raise DeviceError(f"{self.address}: this session is closed; open another")
        return self._session

    @cached_property
    def facts(self) -> DeviceFacts:
        """What the device says it is.

        Raises:
            DeviceError: its server does not say.
        """
        facts = facts_of(self.session)
        if facts is None:
            raise DeviceError(
                f"{self.address}: its server does not say what it runs on; give --target, or "
                "start `tvm-patdnn serve` there"
            )
        return facts

    @property
    def target(self) -> dict[str, Any]:
        """What to ``build`` for."""
        return self.facts.target

    def close(self) -> None:
        """Ends the session."""
        self._session = None

    def __enter__(self) -> Device:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
