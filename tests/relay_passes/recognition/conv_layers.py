"""Layers as the stages of the lanes see them, of the cases that kernels are tested with."""

from __future__ import annotations

from relay_passes.recognition.analyze_convolutions import ConvLayer
from tests.te_schedules.cpu.lane_kernels import ConvCase

__all__ = ["layer_of"]


def layer_of(case: ConvCase) -> ConvLayer:
    return ConvLayer(
        name="layer",
        weight=case.weight,
        groups=case.groups,
        stride=case.stride,
        dilation=case.dilation,
        padding=case.padding,
        in_shape=(case.batch, case.channels, *case.size),
        out_shape=(case.batch, len(case.weight), *case.out_size),
    )
