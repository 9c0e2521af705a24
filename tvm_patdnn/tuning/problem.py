"""What a family of kernels gives to tuning: tasks, and how a configuration becomes a kernel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from tvm.target import Target
from tvm.tirx import PrimFunc

from tvm_patdnn.records.families import Configuration
from tvm_patdnn.records.tuning_key import TuningKey
from tvm_patdnn.tuning.space import Space

__all__ = ["DeviceProblem", "Problem", "Trial", "TrialKernel", "TuningTask"]


@dataclass(frozen=True, kw_only=True, eq=False)
class TrialKernel:
    """One kernel: called with (inputs, constants, operands, output).

    Attributes:
        constants: what it reads besides, as this configuration stores it.
    """

    func: PrimFunc
    constants: Sequence[np.ndarray]


class Problem(Protocol):
    """A layer as processes that build kernels get it: it can be pickled."""

    @property
    def plainest(self) -> TrialKernel:
        """The simplest kernel, for any machine, with whose result those of others are compared."""

    @property
    def out_shape(self) -> tuple[int, ...]:
        """Of the output, as it is stored."""

    @property
    def out_dtype(self) -> str:
        """Of the output."""

    @property
    def compared(self) -> int:
        """How many values of its last axis have to be right; what is behind may be anything."""

    def kernel(self, configuration: Configuration) -> TrialKernel:
        """Generates the kernel of one configuration."""

    def arguments(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Returns made-up inputs, and operands of the epilogue: the same each time."""


class Trial(Protocol):
    """Kernels on a device that is reached through a library of the host's."""

    def write(self, target: Target, folder: Path, library: Path) -> None:
        """Compiles a library whose function "main" takes (inputs, operands, output)."""


@runtime_checkable
class DeviceProblem(Protocol):
    """A layer whose kernels need not run on the machine that builds them; see ``Problem``."""

    @property
    def out_shape(self) -> tuple[int, ...]:
        """See ``Problem``."""

    @property
    def compared(self) -> int:
        """See ``Problem``."""

    def trial(self, configuration: Configuration) -> Trial:
        """Generates what one configuration computes; constants are in it."""

    def arguments(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """See ``Problem``."""

    def expected(self, inputs: Sequence[np.ndarray]) -> np.ndarray:
        """Returns the right result, without any of these kernels."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TuningTask:
    """Layers of a network that are one and the same to tuning.

    Attributes:
        layers: their names.
        elsewhere: the same layers in other layouts, in which they may be faster.
    """

    key: TuningKey
    layers: Sequence[str]
    space: Space
    problem: Problem | DeviceProblem
    elsewhere: Sequence[TuningTask] = ()
