"""The operators of a dataflow block that have kernels, between those that have none.

A ``LaneNode`` is one kernel to be: an operator and the epilogue fused into it. It names its
arguments as Relax variables; layouts and kernels are chosen by later steps, in lanes or for a GPU.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from tvm import relax

from relay_passes.recognition.analyze_convolutions import ConvLayer
from te_schedules.cpu.pool2d import Pool2dWindow
from te_schedules.epilogue import Step, operands_of
from te_schedules.window import Window

__all__ = [
    "ChannelOperand",
    "Convolution",
    "Copy",
    "GlobalPool",
    "GraphStep",
    "LaneNode",
    "Operator",
    "Pooling",
    "TensorOperand",
]


@dataclass(frozen=True, eq=False)
class Convolution:
    """A convolution with constant weights."""

    layer: ConvLayer


@dataclass(frozen=True)
class Pooling:
    """The largest value or the mean of a window slid over the plane."""

    pool: Pool2dWindow
    window: Window


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


@dataclass(frozen=True, eq=False)
class ChannelOperand:
    """A number for each channel: an array (channels,), or a variable (n, channels, 1, 1)."""

    value: np.ndarray | relax.Var


@dataclass(frozen=True, eq=False)
class TensorOperand:
    """A tensor of the result's shape."""

    var: relax.Var


GraphStep: TypeAlias = Step[ChannelOperand | TensorOperand]


@dataclass(frozen=True, kw_only=True, eq=False)
class LaneNode:
    """One kernel.

    Attributes:
        result: the variable it computes, (n, c, height, width).
        inputs: tensors (n, c, height, width).
        steps: the epilogue.
    """

    result: relax.Var
    operator: Operator
    inputs: tuple[relax.Var, ...]
    steps: tuple[GraphStep, ...] = ()

    @property
    def tensors(self) -> tuple[relax.Var, ...]:
        """The inputs, and the operands that are of the result's shape: what it reads in lanes."""
        operands = operands_of(self.steps)
        return (*self.inputs, *(each.var for each in operands if isinstance(each, TensorOperand)))

    @property
    def reads(self) -> tuple[relax.Var, ...]:
        """The variables it reads."""
        values = [
            each.var if isinstance(each, TensorOperand) else each.value
            for each in operands_of(self.steps)
        ]
        return (*self.inputs, *(value for value in values if isinstance(value, relax.Var)))

    @property
    def window(self) -> Window | None:
        """The window of a convolution or pooling; None for other operators."""
        if isinstance(self.operator, Convolution):
            return self.operator.layer.window
        return self.operator.window if isinstance(self.operator, Pooling) else None
