"""Convolutions that TVM's own tuner has found a schedule for, by their shapes.

Such a convolution stays TVM's operator: with channels last, and its weight laid out as the
schedule reads it. What is tuned is the convolution with a bias and a ReLU; the schedule is
carried over to other epilogues.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import tvm
from tvm import relax

from relay_passes.recognition.analyze_convolutions import ConvLayer
from relay_passes.relax_ir.values import constant

__all__ = ["ConvShape", "TunedConvolutions", "channels_last", "tuned_function"]

_WEIGHT = 1  # the number of that argument of a convolution's function

Pair: TypeAlias = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class ConvShape:
    """All that a dense schedule depends on.

    Attributes:
        in_shape: (n, c, height, width).
        weight_shape: (out_c, in_c per group, kh, kw).
        padding: zeros at the top, left, bottom and right.
    """

    in_shape: tuple[int, int, int, int]
    weight_shape: tuple[int, int, int, int]
    stride: Pair
    dilation: Pair
    padding: tuple[int, int, int, int]
    groups: int

    @classmethod
    def of(cls, layer: ConvLayer) -> ConvShape:
        """Returns the shape of a layer."""
        return cls(
            in_shape=layer.in_shape,
            weight_shape=layer.weight.shape,
            stride=layer.stride,
            dilation=layer.dilation,
            padding=layer.padding,
            groups=layer.groups,
        )

    def __str__(self) -> str:
        out_c, in_c, height, width = self.weight_shape
        stride = "" if self.stride == (1, 1) else f"/{self.stride[0]}"
        groups = "" if self.groups == 1 else f", {self.groups} groups"
        side = f"{self.in_shape[2]}x{self.in_shape[3]}"
        return f"{height}x{width}{stride}, {in_c * self.groups}->{out_c}@{side}{groups}"

    def weights(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns a random weight and bias, (out_c,); results are about as large as inputs."""
        random = np.random.default_rng(0)
        fan_in = float(np.prod(self.weight_shape[1:]))
        weight = random.standard_normal(self.weight_shape) / np.sqrt(fan_in)
        bias = random.standard_normal(self.weight_shape[0])
        return weight.astype(np.float32), bias.astype(np.float32)

    def module(self) -> tvm.IRModule:
        """Returns "main": the convolution with random weights, a bias and a ReLU."""
        weight, bias = self.weights()
        builder = relax.BlockBuilder()
        data = relax.Var("x", relax.TensorType(self.in_shape, "float32"))
        with builder.function("main", [data]):
            with builder.dataflow():
                product = builder.emit(self._call(data, constant(weight)))
                total = builder.emit(relax.op.add(product, constant(bias.reshape(1, -1, 1, 1))))
                result = builder.emit_output(relax.op.nn.relu(total))
            builder.emit_func_output(result)
        return builder.finalize()

    def _call(self, data: relax.Expr, weight: relax.Expr) -> relax.Expr:
        return relax.op.nn.conv2d(
            data,
            weight,
            strides=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            groups=self.groups,
        )


TunedConvolutions: TypeAlias = Mapping[ConvShape, Any]  # traces, as ``trace_to_json`` writes them


def channels_last() -> list[tvm.transform.Pass]:
    """Lays out convolutions that are still Relax operators as TVM schedules them best."""
    layouts = {"relax.nn.conv2d": ["NHWC", "HWIO"]}
    return [relax.transform.ConvertLayout(layouts), relax.transform.FoldConstant()]


def tuned_function(shape: ConvShape) -> tvm.tirx.PrimFunc:
    """Returns the function whose schedule is searched: its weights may be laid out anew."""
    passes = [
        *channels_last(),
        relax.transform.LegalizeOps(),
        relax.transform.AnnotateTIROpPattern(),
        relax.transform.FuseOps(),
        relax.transform.FuseTIR(),
    ]
    mod = tvm.transform.Sequential(passes)(shape.module())
    (func,) = (func for var, func in mod.functions.items() if "conv2d" in var.name_hint)
    # Not the bias, which other functions may lack.
    return func.with_attr("layout_free_buffers", [_WEIGHT])
