"""Runs one comparison: everything is built and checked, then they take turns."""

from __future__ import annotations

import datetime
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from tvm_patdnn.bench.entrant import Entrant
from tvm_patdnn.bench.options import BenchOptions
from tvm_patdnn.bench.race import median_ratio, race
from tvm_patdnn.bench.reference import make_inputs, relative_error
from tvm_patdnn.bench.roofline import layers_with_shares, peak_macs, total_counts
from tvm_patdnn.bench.rows import Row, Status
from tvm_patdnn.bench.subject import Subject
from tvm_patdnn.bench.system import Job, System
from tvm_patdnn.bench.systems import DOT_PROBE, EXACT, PROBE, REFERENCE
from tvm_patdnn.bench.venue import HERE, Venue
from tvm_patdnn.importing.quantised_ops import is_quantised

__all__ = ["Contest", "Outcome", "run_contest", "steps_of_contest"]

Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Rows, and whether the user stopped before the end."""

    rows: list[Row]
    interrupted: bool


def steps_of_contest(systems: Sequence[System], options: BenchOptions, venue: Venue = HERE) -> int:
    """Returns how often ``run_contest`` tells its progress."""
    return (len(systems) + venue.peak_is_known) * (1 + options.rounds)


def run_contest(
    subject: Subject,
    systems: Sequence[System],
    options: BenchOptions,
    command: str = "",
    progress: Progress = lambda phase: None,
    venue: Venue = HERE,
) -> Outcome:
    """Compares systems on a model.

    Args:
        subject: what they run.
        systems: which; those that are missing or fail give rows that say so.
        options: how.
        command: goes into the rows.
        progress: told each step as it begins.
        venue: where they run.

    Returns:
        A row for each system, in the given order.
    """
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        contest = Contest(subject, systems, options, Path(folder), venue)
        for entrant in (*contest.entrants, contest.probe):
            stack.callback(entrant.close)
        interrupted = False
        try:
            contest.start(progress)
            contest.race(progress)
        except KeyboardInterrupt:
            interrupted = True
        return Outcome(rows=contest.rows(command), interrupted=interrupted)


class Contest:
    """The systems that take part, and what they are measured against."""

    def __init__(
        self,
        subject: Subject,
        systems: Sequence[System],
        options: BenchOptions,
        folder: Path,
        venue: Venue = HERE,
    ) -> None:
        self._subject, self._options, self._folder = subject, options, folder
        self._venue = venue
        np.savez(folder / "inputs.npz", **make_inputs(subject.pruned))  # type: ignore[arg-type]
        self.entrants = [self._entrant(system, venue=venue) for system in systems]
        self._quantised = any(is_quantised(node) for node in subject.pruned.graph.node)
        self.probe = self._entrant(DOT_PROBE if self._quantised else PROBE)
        self._errors: dict[str, float] = {}
        self._reference = EXACT if self._quantised else REFERENCE

    def start(self, progress: Progress) -> None:
        """Builds and loads every system, one after the other, and checks its outputs."""
        for entrant in self.entrants:
            progress(f"build: {entrant.system.name}")
            entrant.start()
            outputs = entrant.outputs()
            if outputs is not None:
                self._check(entrant, outputs)
        if self._venue.peak_is_known:
            progress("build: the peak of this machine")
            self.probe.start()

    def race(self, progress: Progress) -> None:
        """Takes turns."""
        probes = [self.probe] if self._venue.peak_is_known else []
        race([*self.entrants, *probes], self._options.rounds, progress)

    def rows(self, command: str) -> list[Row]:
        """Returns what is known by now of each system."""
        ours = next((each for each in self.entrants if each.system.ours), None)
        return [self._row(entrant, ours, command) for entrant in self.entrants]

    def _check(self, entrant: Entrant, outputs: list[np.ndarray]) -> None:
        expected = self._expected[entrant.system.pruned or self._subject.dense is None]
        if expected is None:
            entrant.status, entrant.message = Status.UNCHECKED, "no reference: no onnxruntime"
            return
        error = relative_error(outputs, expected)
        self._errors[entrant.system.name] = error
        limit = self._options.max_int8_error if self._quantised else self._options.max_error
        if not error <= limit:
            name = self._reference.name
            message = f"differs from {name} by {error:.2g}, expected at most {limit:g}"
            entrant.status, entrant.message = Status.WRONG, message

    @cached_property
    def _expected(self) -> dict[bool, list[np.ndarray] | None]:
        """The reference's outputs for the pruned (True) and for the dense model."""
        models = {True: self._subject.pruned, False: self._subject.dense}
        return {
            pruned: self._reference_outputs(model, f"reference-{pruned}")
            for pruned, model in models.items()
            if model is not None
        }

    def _reference_outputs(self, model: onnx.ModelProto, name: str) -> list[np.ndarray] | None:
        entrant = self._entrant(self._reference, model, name)
        try:
            entrant.start()
            return entrant.outputs()
        finally:
            entrant.close()

    def _entrant(
        self,
        system: System,
        model: onnx.ModelProto | None = None,
        name: str = "",
        venue: Venue = HERE,
    ) -> Entrant:
        folder = self._folder / (name or system.name)
        folder.mkdir()
        path = folder / "given.onnx"
        given = model or self._subject.of(system)
        onnx.save(given, path)
        job = Job(
            model=path,
            outputs=tuple(value.name for value in given.graph.output),
            folder=folder,
            threads=self._options.threads,
            thorough=self._options.thorough,
        )
        inputs = self._folder / "inputs.npz"
        return venue.entrant(system, job, inputs, self._options)

    def _row(self, entrant: Entrant, ours: Entrant | None, command: str) -> Row:
        seconds = [each for turn in entrant.turns.values() for each in turn]
        quantiles = np.quantile(seconds, [0.5, 0.1, 0.9]).tolist() if seconds else [None] * 3
        status, message = entrant.status, entrant.message
        if status is Status.OK and not seconds:
            status, message = Status.INTERRUPTED, "before it was measured"
        build = [part["seconds"] for part in (entrant.built, entrant.loaded) if part]
        return Row(
            model=self._subject.model,
            layer=self._subject.layer,
            series=self._subject.series,
            value=self._subject.value,
            system=entrant.system.name,
            status=status,
            message=message,
            threads=self._options.threads,
            median_s=quantiles[0],
            p10_s=quantiles[1],
            p90_s=quantiles[2],
            repeats=len(seconds),
            ratio=median_ratio(entrant, ours) if ours is not None else None,
            max_rel_error=self._errors.get(entrant.system.name),
            peak_rss_bytes=entrant.peak_rss_bytes,
            base_rss_bytes=entrant.loaded.get("base_rss_bytes"),
            library_bytes=entrant.built.get("bytes"),
            build_s=sum(build) if len(build) == 2 else None,
            versions=entrant.loaded.get("versions", {}),
            cpu=self._venue.cpu,
            date=datetime.date.today().isoformat(),
            command=command,
            facts=self._facts(entrant),
        )

    def _facts(self, entrant: Entrant) -> Mapping[str, Any]:
        layers = layers_with_shares(entrant, self.probe)
        peak = {"peak_macs_per_s": peak_macs(self.probe), "layers": layers} if layers else {}
        return {**entrant.loaded.get("facts", {}), **peak, **total_counts(entrant)}
