"""The process in which one system runs: answers requests, a line of JSON each.

It stands in the environment of the system, where this package and its dependencies need not
be installed, so it imports only the standard library, numpy and its own neighbours.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import re
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tvm_patdnn.bench.system import Job, Loaded, System
from tvm_patdnn.bench.systems import find_system
from tvm_patdnn.bench.worker_host import die_with_parent, peak_rss, take_stdout

__all__ = ["Worker", "main"]

_COLD_RUN_LIMIT = 0.2  # seconds; a longer run warms its caches as it goes


class Worker:
    """Answers requests for one system; each public method is one kind of request."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._loaded: Loaded | None = None
        self._inputs: dict[str, np.ndarray] = {}
        self._last = 0.0

    def prepare(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """Converts the model; the reply's ``path`` is to be given to ``load``."""
        begun = time.perf_counter()
        prepared = self._system.prepare(_job(job))
        seconds = time.perf_counter() - begun
        size = _bytes(prepared.path)
        return {
            "path": str(prepared.path),
            "seconds": seconds,
            "bytes": size,
            "facts": dict(prepared.facts),
        }

    def load(self, job: Mapping[str, Any], path: str, inputs: str) -> dict[str, Any]:
        """Loads what ``prepare`` left at ``path``.

        Args:
            job: as for ``prepare``.
            path: from ``prepare``.
            inputs: an .npz file with an array for each input.
        """
        with np.load(inputs) as stored:
            self._inputs = {name: stored[name] for name in stored.files}  # some only refer to it
        self._system.imports()
        base = peak_rss()
        begun = time.perf_counter()
        self._loaded = self._system.load(Path(path), _job(job), self._inputs)
        return {
            "seconds": time.perf_counter() - begun,
            "base_rss_bytes": base,
            "versions": _versions(self._system),
            "facts": dict(self._loaded.facts),
        }

    def outputs(self, path: str) -> dict[str, Any]:
        """Runs once and writes the outputs, in order, to an .npz file."""
        loaded = self._ready()
        begun = time.perf_counter()
        result = loaded.run()
        self._last = time.perf_counter() - begun
        arrays = {f"{i}": array for i, array in enumerate(loaded.outputs(result))}
        np.savez(path, **arrays)  # type: ignore[arg-type]
        return {"seconds": self._last}

    def run(self, repeats: int, limit: float) -> dict[str, Any]:
        """Times up to ``repeats`` runs, after one that warms up.

        Args:
            repeats: how many.
            limit: seconds after which no other run begins.
        """
        loaded = self._ready()
        seconds: list[float] = []
        started = time.perf_counter()
        if self._last < _COLD_RUN_LIMIT:
            loaded.run()
        while len(seconds) < repeats:
            begun = time.perf_counter()
            loaded.run()
            ended = time.perf_counter()
            seconds.append(ended - begun)
            if ended - started > limit:
                break
        self._last = seconds[-1]
        return {"seconds": seconds, "peak_rss_bytes": peak_rss()}

    def profile(self) -> dict[str, Any]:
        """Times each convolution of one run; none where the system cannot tell."""
        loaded = self._ready()
        return {"kernels": loaded.profile() if loaded.profile else []}

    def _ready(self) -> Loaded:
        if self._loaded is None:
            raise RuntimeError("nothing is loaded yet")
        return self._loaded


def main() -> None:
    """Serves requests from stdin until it ends.

    Called with the system's name and the CPUs to run on, as numbers joined by commas.
    """
    name, cpus = sys.argv[1:3]
    replies = take_stdout()
    die_with_parent()
    if cpus and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(cpu) for cpu in cpus.split(",")})
    system = find_system(name)
    if system is None:
        sys.exit(f"no system '{name}' in this environment")
    worker = Worker(system)
    for line in sys.stdin:
        print(json.dumps(_answer(worker, json.loads(line))), file=replies, flush=True)


def _answer(worker: Worker, request: dict[str, Any]) -> dict[str, Any]:
    try:
        return getattr(worker, request.pop("request"))(**request)
    except Exception as error:  # whatever another system raises is a result to show
        said = (str(error).strip() or type(error).__name__).splitlines()
        return {"error": f"{type(error).__name__}: {said[-1].strip()}"[:400]}


def _job(fields: Mapping[str, Any]) -> Job:
    return Job(
        model=Path(fields["model"]),
        outputs=tuple(fields["outputs"]),
        folder=Path(fields["folder"]),
        threads=fields["threads"],
        thorough=fields["thorough"],
    )


def _bytes(path: Path) -> int:
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    return sum(each.stat().st_size for each in files)


def _versions(system: System) -> dict[str, str]:
    found = {}
    for requirement in system.requirements:
        name = re.split(r"[<>=!~\[ ]", requirement)[0]
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


if __name__ == "__main__":
    main()
