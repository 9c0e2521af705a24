"""Where a device is: at an address of its own, or behind TVM's tracker, by its key."""

from __future__ import annotations

from dataclasses import dataclass

from tvm_patdnn.errors import DeviceError

__all__ = ["DeviceAddress"]


@dataclass(frozen=True, kw_only=True)
class DeviceAddress:
    """A server, or one of those that a tracker knows by a key.

    Attributes:
        key: that the server was started with.
        tracked: whether host and port are those of a tracker.
    """

    host: str
    port: int
    key: str = ""
    tracked: bool = False

    def __str__(self) -> str:
        place = f"{self.host}:{self.port}"
        return f"'{self.key}' of the tracker {place}" if self.tracked else place

    @classmethod
    def parse(cls, text: str, key: str = "", *, tracked: bool = False) -> DeviceAddress:
        """Reads HOST:PORT.

        Raises:
            DeviceError: it is something else.
        """
        host, _, port = text.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
            raise DeviceError(
                f"device '{text}': expected HOST:PORT, such as raspberrypi.local:9090"
            )
        return cls(host=host.strip("[]"), port=int(port), key=key, tracked=tracked)
