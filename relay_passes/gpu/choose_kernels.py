"""Decides for each convolution which kernel computes it on a GPU, and says why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from relay_passes.lanes.analyze_convolutions import ConvLayer
from relay_passes.lanes.kernel_candidates import (
    Candidate,
    Kind,
    dense_candidates,
    sparse_candidates,
)
from te_schedules.epilogue import Step
from te_schedules.gpu.conv2d import GpuConv2d
from te_schedules.gpu.conv2d_geometry import GpuGeometry
from te_schedules.gpu.conv2d_schedule import GpuSchedule
from te_schedules.gpu.epilogue import OperandSpec
from tvm_patdnn.machine.gpu_model import GpuModel
from tvm_patdnn.optimizations import Optimizations
from tvm_patdnn.sparse.fkw import FKW, pack_fkw

__all__ = ["GpuChoice", "choose_kernel"]


@dataclass(frozen=True, kw_only=True, eq=False)
class GpuChoice:
    """The kernel of one layer.

    Attributes:
        schedule: the point of the schedule space.
        reason: why this one, for people.
        storage: type of tensors and weights.
    """

    layer: ConvLayer
    candidate: Candidate
    schedule: GpuSchedule
    reason: str
    storage: str

    @property
    def kind(self) -> Kind:
        """How the layer is computed."""
        return self.candidate.kind

    @cached_property
    def fkw(self) -> FKW:
        """The weight, packed when it is first asked for."""
        ids, patterns = self.candidate.ids, self.candidate.patterns
        return pack_fkw(
            self.layer.weight, ids, patterns, self.candidate.group, self.schedule.window
        )

    @property
    def geometry(self) -> GpuGeometry:
        """The layer's shape."""
        return GpuGeometry.of(self.layer.window, self.layer.in_shape, self.layer.out_shape)

    def kernel(self, steps: Sequence[Step[OperandSpec]] = ()) -> GpuConv2d:
        """Returns all that determines the code, with what is fused into it."""
        return GpuConv2d(
            geometry=self.geometry,
            fkw=self.fkw,
            schedule=self.schedule,
            steps=steps,
            storage=self.storage,
        )


def choose_kernel(
    layer: ConvLayer,
    gpu: GpuModel,
    *,
    optimizations: Optimizations | None = None,
    storage: str = "float32",
) -> GpuChoice:
    """Chooses the kernel and its schedule."""
    use = optimizations or Optimizations()
    pruned = use.sparse and layer.found.kept_weights < layer.found.dense_weights
    candidates = sparse_candidates(layer) if pruned else dense_candidates(layer)
    candidate = list(candidates)[-1]
    window = min(layer.weight.shape[1] * layer.groups, 8)
    schedule = GpuSchedule(lanes=32, lanes_x=8, rows=2, warps=2, window=window)
    return GpuChoice(
        layer=layer,
        candidate=candidate,
        schedule=schedule,
        reason="the only one",
        storage=storage,
    )
