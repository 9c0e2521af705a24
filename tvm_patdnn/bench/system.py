"""What an adapter of a system provides, and what it is given.

This module and everything in ``systems`` is read in the environments of other packages too:
apart from the standard library and numpy, they import only inside functions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["Inputs", "Job", "Loaded", "Prepared", "System"]

Inputs = Mapping[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a system is to run.

    Attributes:
        model: an ONNX file whose inputs have fixed shapes.
        outputs: the names of its outputs, in order.
        folder: where to put converted models; empty at first.
        threads: how many threads may compute.
        thorough: also try what takes long to prepare, if it may run faster.
    """

    model: Path
    outputs: tuple[str, ...]
    folder: Path
    threads: int
    thorough: bool


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A model in the form in which a system ships it.

    Attributes:
        path: a file, or a folder with nothing else in it.
        facts: anything worth keeping, as JSON.
    """

    path: Path
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A model that is ready to run.

    Attributes:
        run: computes the outputs; this is what is timed.
        outputs: turns what ``run`` returned into arrays, in the order of the ONNX file.
        profile: runs once more and returns the seconds of each convolution, by kernel name
            in the order of computation.
        facts: anything worth keeping, as JSON.
    """

    run: Callable[[], Any]
    outputs: Callable[[Any], list[np.ndarray]]
    profile: Callable[[], list[tuple[str, float]]] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class System:
    """One way to run a model.

    Attributes:
        name: what users call it: as ``systems`` lists it, or ``module:ATTRIBUTE``, where the
            worker is to find it.
        packages: import names without which it is missing.
        requirements: what pip installs for it; the first part is the distribution's name.
        without_dependencies: requirements whose own dependencies are not wanted.
        imports: imports them, which counts neither as build time nor as the model's memory.
        prepare: converts the model; timed as part of the build.
        load: gets it ready, in a fresh process; timed as part of the build.
        pruned: it is given the pruned model, the others are given the dense one.
        ours: ratios are over its time, and the comparison fails if it does.
        environment: variables to set while it runs, besides the usual numbers of threads.
    """

    name: str
    packages: tuple[str, ...]
    requirements: tuple[str, ...]
    without_dependencies: tuple[str, ...] = ()
    imports: Callable[[], object] = lambda: None
    prepare: Callable[[Job], Prepared] = lambda job: Prepared(path=job.model)
    load: Callable[[Path, Job, Inputs], Loaded]
    pruned: bool = False
    ours: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
