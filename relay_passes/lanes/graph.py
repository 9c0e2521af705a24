"""The operators of a dataflow block that run in lanes, between those that do not.

A ``LaneNode`` is one kernel to be: an operator and the epilogue fused into it. It names its
arguments as Relax variables; layouts and kernels are chosen by later steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from tvm import relax

from relay_passes.lanes.analyze_convolutions import ConvLayer
from te_schedules.cpu.epilogue import Step
from te_schedules.cpu.pool2d import Pool2dWindow

__all__ = ["Convolution", "Copy", "GlobalPool", "LaneNode", "Operator", "Pooling"]


@dataclass(frozen=True, eq=False)
class Convolution:
    """A convolution with constant weights."""

    layer: ConvLayer


@dataclass(frozen=True)
class Pooling:
    """A window slid over the plane; pairs are (y, x), padding is before the first value."""

    window: Pool2dWindow
    stride: tuple[int, int]
    dilation: tuple[int, int]
    padding: tuple[int, int]


@dataclass(frozen=True)
class GlobalPool:
    """The mean of each plane; its result is not in lanes."""


@dataclass(frozen=True)
class Copy:
    """The inputs one after the other, each enlarged ``repeat`` times; then the epilogue.

    Attributes:
        shuffle: the enlarged pixels are those of ``repeat ** 2`` channels, not copies.
    """

    repeat: int = 1
    shuffle: bool = False


Operator: TypeAlias = Convolution | Pooling | GlobalPool | Copy


@dataclass(frozen=True, kw_only=True, eq=False)
class LaneNode:
    """One kernel.

    Attributes:
        result: the variable it computes, (n, c, height, width).
        inputs: tensors (n, c, height, width).
        steps: the epilogue.
        operands: one for each step with an operand: an array (channels,), or a variable
            of the result's shape or of shape (n, c, 1, 1).
    """

    result: relax.Var
    operator: Operator
    inputs: tuple[relax.Var, ...]
    steps: tuple[Step, ...] = ()
    operands: tuple[np.ndarray | relax.Var, ...] = ()

    @property
    def reads(self) -> tuple[relax.Var, ...]:
        """The variables it reads."""
        operands = tuple(v for v in self.operands if isinstance(v, relax.Var))
        return self.inputs + operands
