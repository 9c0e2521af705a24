"""What a device says it is, and the target that follows."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tvm_patdnn.device.board_cpu import board_cpu
from tvm_patdnn.errors import DeviceError
from tvm_patdnn.machine.triples import architecture

__all__ = ["FACTS_FUNCTION", "DeviceFacts", "facts_of"]

FACTS_FUNCTION = "tvm_patdnn.device_facts"  # what our servers answer


@dataclass(frozen=True, kw_only=True)
class DeviceFacts:
    """A device.

    Attributes:
        tvm: the version of its runtime.
        machine: as `uname -m` says.
        cores: that compute.
        cpuinfo: what Linux says of them.
        config: the target, where its TVM has LLVM and can say.
        caches: bytes of data in the first cache of a core, the second, and so on, whole.
    """

    tvm: str
    machine: str
    cores: int
    cpuinfo: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    caches: tuple[int, ...] = ()

    @classmethod
    def from_json(cls, text: str) -> DeviceFacts:
        """Reads what a server answers."""
        facts = json.loads(text)
        return cls(**{**facts, "caches": tuple(facts.get("caches", ()))})

    @property
    def target(self) -> dict[str, Any]:
        """The config of a target for it."""
        if self.config:
            return {n: tuple(v) if isinstance(v, list) else v for n, v in self.config.items()}
        return {
            "kind": "llvm",
            "mtriple": f"{self.machine}-linux-gnu",
            "mcpu": board_cpu(self.machine, self.cpuinfo),
            "num-cores": self.cores,
        }

    def __str__(self) -> str:
        cores = f"{self.cores} core{'s' * (self.cores != 1)}"
        caches = [
            f"L{level} {size // 1024} KiB" for level, size in enumerate(self.caches, 1) if size
        ]
        return ", ".join(
            [self.machine, str(self.target["mcpu"]), cores, *caches, f"TVM {self.tvm}"]
        )

    def check_target(self, triple: str) -> None:
        """Checks that code for a triple runs on it.

        Raises:
            DeviceError: it is of another architecture.
        """
        if architecture(triple) != architecture(f"{self.machine}-linux-gnu"):
            raise DeviceError(
                f"the library is built for '{triple}', the device is {self.machine}; build it "
                "with a --target that fits, or leave it out where the device is asked"
            )


def facts_of(session: Any) -> DeviceFacts | None:
    """Asks what is behind a session; None where its server does not say."""
    try:
        told = str(session.get_function(FACTS_FUNCTION)())
    except (AttributeError, RuntimeError, ValueError):
        return None
    return DeviceFacts.from_json(told)
