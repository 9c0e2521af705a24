"""Finds the convolutions of a module and what was pruned from them.

Requires: weights are constants (run FoldConstant first where they are computed).
Ensures: one ``ConvLayer`` for each convolution, the layerwise representation (LR; PatDNN,
section 5.1) from which kernels are chosen. Nothing in the module needs to announce that it
was pruned: patterns and missing kernels are read off the zeros of the weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import tvm
from tvm import relax

from relay_passes.relax_ir.values import constant_value, operator_name, shape_of
from te_schedules.window import Window
from tvm_patdnn.sparse.packing import filters_alike
from tvm_patdnn.sparse.patterns import KernelPatterns, find_patterns
from tvm_patdnn.sparse.weight_key import weight_key

__all__ = ["ConvLayer", "analyze_convolutions", "describe_conv", "read_conv_layer"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ConvLayer:
    """One convolution: its shape and its constant weight.

    Attributes:
        weight: (out_c, in_c per group, kh, kw) float32, or int8 in a quantised layer.
        padding: zeros at the top, left, bottom and right.
        in_shape, out_shape: (n, c, height, width).
    """

    name: str
    weight: np.ndarray
    groups: int
    stride: tuple[int, int]
    dilation: tuple[int, int]
    padding: tuple[int, int, int, int]
    in_shape: tuple[int, int, int, int]
    out_shape: tuple[int, int, int, int]

    @cached_property
    def found(self) -> KernelPatterns:
        """The patterns of the weight as it is stored, (out_c, in_c per group) kernels."""
        return find_patterns(self.weight)

    @property
    def kernel_shape(self) -> tuple[int, int]:
        """Height and width of a kernel."""
        return (self.weight.shape[2], self.weight.shape[3])

    @property
    def window(self) -> Window:
        """Where its taps lie."""
        return Window(self.kernel_shape, self.stride, self.dilation, self.padding[:2])

    @property
    def workload(self) -> str:
        """What tuning records call this layer: its shape, and in steps what is kept of it."""
        found = self.found
        kept = round(20 * found.kept_kernels / found.ids.size) * 5
        taps = round(found.kept_weights / max(1, found.kept_kernels))
        return (
            f"in {_by(self.in_shape)} out {_by(self.out_shape)} kernel {_by(self.kernel_shape)} "
            f"stride {_by(self.stride)} dilation {_by(self.dilation)} padding {_by(self.padding)} "
            f"groups {self.groups} kept {kept}% patterns {len(found.patterns)} taps {taps} "
            f"blocks {filters_alike(found.ids)}"
        )

    @property
    def dense_macs(self) -> int:
        """Multiply-accumulates of the layer before pruning."""
        n, _, height, width = self.out_shape
        return n * height * width * self.weight.size

    @property
    def kept_macs(self) -> int:
        """Multiply-accumulates with weights that are not zero."""
        n, _, height, width = self.out_shape
        return n * height * width * self.found.kept_weights


def analyze_convolutions(
    mod: tvm.IRModule, names: Mapping[str, str] | None = None
) -> list[ConvLayer]:
    """Returns the layerwise representation of "main", in the order of computation.

    Args:
        names: names of layers by ``weight_key`` of their weights; others get the name of
            their variable.
    """
    layers = []
    for block in mod["main"].body.blocks:
        for binding in block.bindings:
            layer = read_conv_layer(binding.var, binding.value, names or {})
            if layer is not None:
                layers.append(layer)
    return layers


def read_conv_layer(
    var: relax.Var, value: relax.Expr, names: Mapping[str, str]
) -> ConvLayer | None:
    """Describes the convolution ``value``; None if it is not one, or not one for our kernels."""
    weight = constant_value(value.args[1]) if operator_name(value) == "relax.nn.conv2d" else None
    if weight is None or weight.dtype != np.float32:
        return None
    return describe_conv(value, weight, names.get(weight_key(weight), var.name))


def describe_conv(value: relax.Call, weight: np.ndarray, name: str) -> ConvLayer | None:
    """Describes a convolution by ``weight``; None if it is not one for our kernels.

    Args:
        weight: (out_c, in_c per group, kh, kw), whatever the second argument of ``value`` is.
    """
    data, attrs, out_shape = shape_of(value.args[0]), value.attrs, shape_of(value)
    if data is None or out_shape is None:
        return None
    if (attrs.data_layout, attrs.kernel_layout, attrs.out_layout) != ("NCHW", "OIHW", "NCHW"):
        return None
    return ConvLayer(
        name=name,
        weight=weight,
        groups=int(attrs.groups),
        stride=_pair(attrs.strides),
        dilation=_pair(attrs.dilation),
        padding=tuple(int(pad) for pad in attrs.padding),  # type: ignore[arg-type]
        in_shape=data,  # type: ignore[arg-type]
        out_shape=out_shape,  # type: ignore[arg-type]
    )


def _by(sizes: tuple[int, ...]) -> str:
    return "x".join(map(str, sizes))


def _pair(values: relax.Expr) -> tuple[int, int]:
    first, second = (int(value) for value in values)
    return first, second
