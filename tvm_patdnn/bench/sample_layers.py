"""Convolutions with random weights, to measure layers without a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

__all__ = ["VGG_LAYERS", "SampleLayer"]


@dataclass(frozen=True, kw_only=True)
class SampleLayer:
    """A convolution, stride 1, whose output is as large as its input.

    Attributes:
        in_c, out_c: channels.
        side: height and width.
        kernel: height and width of a kernel.
    """

    in_c: int
    out_c: int
    side: int
    kernel: int = 3

    def __str__(self) -> str:
        size = "" if self.kernel == 3 else f"{self.kernel}x{self.kernel} "
        return f"{size}{self.in_c}->{self.out_c}@{self.side}x{self.side}"

    def dense(self) -> onnx.ModelProto:
        """Makes the model: x (1, in_c, side, side) -> y (1, out_c, side, side), float32."""
        shape = (self.out_c, self.in_c, self.kernel, self.kernel)
        weight = np.random.default_rng(0).standard_normal(shape, np.float32)
        graph = helper.make_graph(
            [helper.make_node("Conv", ["x", "w"], ["y"], name="conv", pads=[self.kernel // 2] * 4)],
            "layer",
            [self._value("x", self.in_c)],
            [self._value("y", self.out_c)],
            [numpy_helper.from_array(weight, "w")],
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)

    def pruned(self, **options: Any) -> onnx.ModelProto:
        """Prunes the model.

        Args:
            options: of ``prune_onnx``; by default 8 patterns of 4 entries and 3.6x connectivity.
        """
        from tvm_patdnn.pruning import prune_onnx

        return prune_onnx(self.dense(), first_layer=True, **options)

    def _value(self, name: str, channels: int) -> onnx.ValueInfoProto:
        shape = (1, channels, self.side, self.side)
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


# The distinct convolutions of VGG-16 for images of 224x224, in order.
VGG_LAYERS = tuple(
    SampleLayer(in_c=in_c, out_c=out_c, side=side)
    for in_c, out_c, side in (
        (3, 64, 224),
        (64, 64, 224),
        (64, 128, 112),
        (128, 128, 112),
        (128, 256, 56),
        (256, 256, 56),
        (256, 512, 28),
        (512, 512, 28),
        (512, 512, 14),
    )
)
