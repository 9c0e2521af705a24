"""The operators of a quantised network that have int8 kernels.

An ``Int8Node`` is one kernel to be: it takes tensors of bytes to a tensor of bytes, which a
``quantize`` of the model makes of numbers, or of a matrix product to its numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from tvm import relax

from relay_passes.int8.encodings import NUMBERS, Encoding
from relay_passes.recognition.analyze_convolutions import ConvLayer
from te_schedules.cpu.int8.layer import Int8Layer
from te_schedules.cpu.int8.pool_planes import PoolPlanes

__all__ = [
    "Averages",
    "Convolution",
    "Encoded",
    "Enlargement",
    "Flatten",
    "Int8Node",
    "Join",
    "Maxima",
    "Means",
    "Operator",
    "Quantize",
    "Sum",
    "Table",
    "View",
]


@dataclass(frozen=True, eq=False)
class Encoded:
    """A tensor of the model that holds integers, and what they stand for."""

    var: relax.Var
    encoding: Encoding


@dataclass(frozen=True, kw_only=True, eq=False)
class Convolution:
    """A convolution, or a matrix product, with constant weights.

    Attributes:
        layer: its weight is int8.
        weight_scale: (filters,) float32.
        bias: (filters,) float64, what it stands for.
        residual: a tensor that is added; ``low`` and ``high`` bound what it is added to.
        rounded: how the model stores what it is added to; None: it does not.
    """

    layer: ConvLayer
    weight_scale: np.ndarray
    bias: np.ndarray
    residual: Encoded | None = None
    low: float = -np.inf
    high: float = np.inf
    rounded: Encoding | None = None


@dataclass(frozen=True)
class Maxima:
    """The largest byte of each window."""

    pool: PoolPlanes


@dataclass(frozen=True)
class Averages:
    """The mean of each window."""

    pool: PoolPlanes
    count_padding: bool


@dataclass(frozen=True)
class Means:
    """The mean of each plane."""


@dataclass(frozen=True)
class Sum:
    """The sum of its inputs; of one input, the same in another encoding."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """A function of one byte.

    Attributes:
        source: the tensor of these bytes.
        values: (256,) float32, or bool: that of each byte.
    """

    source: Encoded
    values: np.ndarray


@dataclass(frozen=True)
class Join:
    """The channels of its inputs one after the other."""


@dataclass(frozen=True)
class Enlargement:
    """Each pixel ``repeat`` times in both directions."""

    repeat: int


@dataclass(frozen=True)
class View:
    """The same bytes, in the same places, in another shape."""


@dataclass(frozen=True)
class Flatten:
    """All pixels of a tensor as one plane."""


@dataclass(frozen=True)
class Quantize:
    """Numbers of an operator that has no int8 kernel, or of an input."""

    source: relax.Expr


Operator: TypeAlias = (
    Convolution
    | Maxima
    | Averages
    | Means
    | Sum
    | Table
    | Join
    | Enlargement
    | View
    | Flatten
    | Quantize
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Int8Node:
    """One kernel.

    Attributes:
        result: the variable that holds its integers in the model, or its numbers.
        low, high: bounds of the bytes that it stores.
        int8: of a convolution, what its kernel computes.
    """

    result: relax.Var
    encoding: Encoding
    operator: Operator
    inputs: tuple[Encoded, ...]
    low: int = 0
    high: int = 255
    int8: Int8Layer | None = None

    @property
    def stores_numbers(self) -> bool:
        """Whether its results stay float32."""
        return self.encoding == NUMBERS

    @property
    def table(self) -> np.ndarray:
        """(256,) uint8: of a ``Table``, what is stored of each byte."""
        assert isinstance(self.operator, Table), "others are not functions of a byte"
        return np.clip(self.encoding.bytes(self.operator.values), self.low, self.high)

    @property
    def reads(self) -> tuple[relax.Var, ...]:
        """The variables it reads."""
        if isinstance(self.operator, Quantize):
            source = self.operator.source
            return (source,) if isinstance(source, relax.Var) else ()
        residual = self.operator.residual if isinstance(self.operator, Convolution) else None
        return (*(each.var for each in self.inputs), *([residual.var] if residual else []))
