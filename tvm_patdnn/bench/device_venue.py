"""A device as a place where systems are compared: one session, in which all are loaded."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import TypeVar

import numpy as np
import tvm

from tvm_patdnn.bench.device_libraries import BUILDERS
from tvm_patdnn.bench.entrant import Entrant
from tvm_patdnn.bench.options import BenchOptions
from tvm_patdnn.bench.rows import Status
from tvm_patdnn.bench.system import Job, System
from tvm_patdnn.device.device import Device
from tvm_patdnn.device.device_facts import facts_of
from tvm_patdnn.errors import BenchError, PatDNNError
from tvm_patdnn.library.load_on_device import compute_on, send
from tvm_patdnn.library.running import RunnableModel
from tvm_patdnn.machine.targets import TargetLike

__all__ = ["DeviceVenue"]

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class DeviceVenue:
    """See ``Venue``.

    Attributes:
        target: what libraries are built for; what the device says by default.
        logs: tuning records that they are built with.
    """

    device: Device
    threads: int
    target: str | None = None
    logs: str | None = None

    @property
    def cpu(self) -> str:
        """See ``Venue``."""
        facts = facts_of(self.device.session)
        return str(facts or self.target)

    @property
    def built_for(self) -> TargetLike:
        """The target with as many cores as there are threads."""
        if self.target is not None:
            return f"{self.target} -num-cores={self.threads}"
        return {**self.device.target, "num-cores": self.threads}

    @property
    def peak_is_known(self) -> bool:
        """See ``Venue``: there is no process of ours on the device."""
        return False

    def entrant(self, system: System, job: Job, inputs: Path, options: BenchOptions) -> Entrant:
        """See ``Venue``.

        Raises:
            BenchError: the system does not run on devices.
        """
        if system.name not in BUILDERS:
            raise BenchError(
                f"'{system.name}' does not run on a device; expected {', '.join(BUILDERS)}"
            )
        compute_on(self.device.session, self.threads)
        return _DeviceEntrant(system=system, job=job, inputs=inputs, options=options, venue=self)


@dataclass(kw_only=True, eq=False)
class _DeviceEntrant(Entrant):
    """A system whose library is built here and runs on the device."""

    venue: DeviceVenue
    _model: RunnableModel | None = None

    def start(self) -> None:
        """Builds the library, sends it and loads it; a failure goes to ``status``."""
        try:
            self._build()
            self._send()
        except PatDNNError as error:
            self.reject(Status.FAILED, str(error))

    def _build(self) -> None:
        begun = time.perf_counter()
        build, venue = BUILDERS[self.system.name], self.venue
        library = build(self.job.model, venue.built_for, venue.logs)
        library.export_library(self._file)
        layers = [asdict(layer) for layer in library.report]
        self.built = {
            "seconds": time.perf_counter() - begun,
            "bytes": self._file.stat().st_size,
            "facts": {"layers": layers},
        }

    def _send(self) -> None:
        begun = time.perf_counter()
        self._model = send(self.venue.device.session, self._file)
        self.loaded = {
            "seconds": time.perf_counter() - begun,
            "versions": {"apache-tvm": tvm.__version__},  # which the device has, too
        }

    @property
    def _file(self) -> Path:
        return self.job.folder / "device.so"

    def outputs(self) -> list[np.ndarray] | None:
        """See ``Entrant``."""
        found = self._tried(lambda model: model.run(self._inputs()))
        return None if found is None else [found[name] for name in self.job.outputs]

    def turn(self, number: int) -> None:
        """See ``Entrant``."""
        if self._is_slow():
            return
        known = [seconds for turn in self.turns.values() for seconds in turn]
        most = int(self.options.turn_limit / median(known)) if known else 1
        repeats = min(self.options.repeats_of_a_turn, max(1, most))
        seconds = self._tried(lambda model: model.time(self._inputs(), repeats))
        if seconds is not None:
            self.turns[number] = seconds

    def profile(self, number: int) -> None:
        """See ``Entrant``."""

    def close(self) -> None:
        """Frees what is on the device."""
        self._model = None

    def _inputs(self) -> dict[str, np.ndarray]:
        with np.load(self.inputs) as stored:
            return {name: stored[name] for name in stored.files}

    def _tried(self, ask: Callable[[RunnableModel], T]) -> T | None:
        try:
            return None if self._model is None else ask(self._model)
        except PatDNNError as error:
            self.reject(Status.FAILED, str(error))
        return None
