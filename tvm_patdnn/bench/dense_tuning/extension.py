"""Lets a build take the convolutions that TVM's own tuner has scheduled."""

from __future__ import annotations

from relay_passes.pipeline import Extension
from relay_passes.recognition.analyze_convolutions import ConvLayer
from tvm_patdnn.bench.dense_tuning.apply_tuned_schedules import ApplyTunedSchedules
from tvm_patdnn.bench.dense_tuning.tuned_convolutions import (
    ConvShape,
    TunedConvolutions,
    channels_last,
)

__all__ = ["tuned_extension"]


def tuned_extension(tuned: TunedConvolutions) -> Extension:
    """Returns what a ``Request`` takes; tuned convolutions do not appear in the report."""
    if not tuned:
        return Extension()

    def leaves(layer: ConvLayer) -> bool:
        return ConvShape.of(layer) in tuned

    return Extension(
        leaves=leaves,
        before_legalizing=channels_last(),
        before_fallback=[ApplyTunedSchedules(tuned=tuned)],
    )
