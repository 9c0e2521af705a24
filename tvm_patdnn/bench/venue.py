"""Where systems are compared: on this machine, each in a process of its own, or on a device."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from tvm_patdnn.bench.entrant import Entrant
from tvm_patdnn.bench.options import BenchOptions
from tvm_patdnn.bench.system import Job, System
from tvm_patdnn.machine.cpu_name import cpu_name

__all__ = ["HERE", "Venue"]


class Venue(Protocol):
    """A place for a comparison."""

    @property
    def cpu(self) -> str:
        """What computes there, for rows."""

    @property
    def peak_is_known(self) -> bool:
        """Whether the program that measures the machine's peak runs there."""

    def entrant(self, system: System, job: Job, inputs: Path, options: BenchOptions) -> Entrant:
        """Returns a system that takes part there; it has not started."""


class ThisMachine:
    """See ``Venue``."""

    @property
    def cpu(self) -> str:
        """See ``Venue``."""
        return cpu_name()

    @property
    def peak_is_known(self) -> bool:
        """See ``Venue``."""
        return True

    def entrant(self, system: System, job: Job, inputs: Path, options: BenchOptions) -> Entrant:
        """See ``Venue``."""
        return Entrant(system=system, job=job, inputs=inputs, options=options)


HERE = ThisMachine()
