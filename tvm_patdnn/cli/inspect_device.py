"""What ``tvm-patdnn inspect --device`` adds: what the device is, and how long each layer takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tvm_patdnn.compilation import Request
    from tvm_patdnn.device.address import DeviceAddress
    from tvm_patdnn.device.device_facts import DeviceFacts
    from tvm_patdnn.library.report import Report

__all__ = ["OnDevice", "inspect_on_device"]

_WAIT_S = 30.0  # others may use it while the library is built


@dataclass(frozen=True, kw_only=True)
class OnDevice:
    """A model there.

    Attributes:
        facts: what the device is; None where its server does not say.
        seconds: of each layer, and of the others; see ``RunnableModel.time_layers``.
    """

    report: Report
    facts: DeviceFacts | None
    seconds: dict[str, float]

    def values(self) -> dict[str, Any]:
        """What is added to the JSON."""
        facts = self.facts
        names = ("tvm", "machine", "cores", "caches", "target")
        told = facts and {name: getattr(facts, name) for name in names}
        return {"device": told, "seconds": self.seconds}

    def text(self) -> str:
        """The times as a table."""
        width, whole = max(map(len, self.seconds)), sum(self.seconds.values())
        lines = [
            f"{name:{width}}  {1e3 * spent:9.3f} ms  {spent / whole:4.0%}"
            for name, spent in [*self.seconds.items(), ("sum", whole)]
        ]
        about = f"on the device ({self.facts})" if self.facts else "on the device"
        return "\n".join([f"{about}:", *lines])


def inspect_on_device(
    request: Request, address: DeviceAddress, progress: Callable[[str], None]
) -> OnDevice:
    """Builds a model for a device and times its layers there.

    Args:
        request: what is built; without a target, the device says what it is.

    Raises:
        ModelError, TargetError, TuningError: see ``build``.
        DeviceError: nobody is there, or its server does not say what it is.
        LibraryError: it goes away, or its server cannot time layers.
    """
    from dataclasses import replace

    from tvm_patdnn.builder import build_requested
    from tvm_patdnn.device.device import Device
    from tvm_patdnn.device.device_facts import facts_of
    from tvm_patdnn.evaluation.random_inputs import random_inputs

    with Device(address) as device:
        target = request.target or device.target
    library = build_requested(replace(request, target=target), progress)
    progress("measuring")
    with Device(address, wait_s=_WAIT_S) as device:
        model = library.on_device(device)
        seconds = model.time_layers(random_inputs(model.inputs))
        return OnDevice(report=library.report, facts=facts_of(device.session), seconds=seconds)
