"""What a comparison is about: a model, or a layer of it, pruned and dense."""

from __future__ import annotations

from dataclasses import dataclass

import onnx

from tvm_patdnn.bench.system import System

__all__ = ["Subject"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """What is compared.

    Attributes:
        model: its name.
        layer: the convolution it was cut down to, or None.
        pruned: the pruned model, with fixed input shapes: for ours.
        dense: the dense model, with the same inputs: for the others; None gives them the
            pruned one, whose zeros are numbers to them.
        series: "ladder", or the name of the sweep it is a point of; ``value`` is what is swept.
        threads: that may compute, if not as many as in the whole run.
    """

    model: str
    layer: str | None = None
    pruned: onnx.ModelProto
    dense: onnx.ModelProto | None = None
    series: str | None = None
    value: float | None = None
    threads: int | None = None

    def of(self, system: System) -> onnx.ModelProto:
        """The model that a system gets."""
        return self.pruned if system.pruned or self.dense is None else self.dense
