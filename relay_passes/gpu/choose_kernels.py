"""Chooses, for each convolution on a GPU, how it is computed.

Dense is a candidate like any other: a layer is computed as if it had not been pruned where the
cost model finds that to be faster. A layer that was tuned gets the schedule of its record, and
where there are records of both ways the faster as measured. What a GPU's tensor cores would do
with the dense layer is not computed here, but said, as they skip no pattern.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from relay_passes.gpu.score_kernels import (
    GpuScorer,
    ScoredGpuCandidate,
    gpu_dense_candidates,
    pack_candidate,
)
from relay_passes.gpu.tuning_keys import gpu_conv2d_key
from relay_passes.lanes.kernel_candidates import Kind, sparse_candidates
from relay_passes.recognition.analyze_convolutions import ConvLayer
from relay_passes.recognition.break_even import break_even
from te_schedules.epilogue import Step
from te_schedules.gpu.conv2d_binding import GpuConv2d
from te_schedules.gpu.conv2d_geometry import GpuGeometry
from te_schedules.gpu.conv2d_schedule import GpuSchedule
from te_schedules.gpu.epilogue import OperandSpec
from tvm_patdnn.machine.gpu_model import GpuModel
from tvm_patdnn.optimizations import Optimizations
from tvm_patdnn.records.tuning_records import Records
from tvm_patdnn.sparse.fkw import FKW

__all__ = ["GpuChoice", "choose_kernel"]

# What cuDNN's dense layers take on an H100's tensor cores is this share of their peak, behind a
# start that no layer is without.
TENSOR_CORE_SHARE = 0.7
TENSOR_CORE_START = 10.0  # us


@dataclass(frozen=True, kw_only=True, eq=False)
class GpuChoice:
    """The kernel of one layer.

    Attributes:
        reason: why this one, for people.
        considered: the best ways that it was chosen from.
        storage: of tensors: "float32" or "float16".
    """

    layer: ConvLayer
    geometry: GpuGeometry
    chosen: ScoredGpuCandidate
    considered: tuple[ScoredGpuCandidate, ...]
    reason: str
    storage: str

    @property
    def kind(self) -> Kind:
        """How the layer is computed."""
        return self.chosen.candidate.kind

    @property
    def schedule(self) -> GpuSchedule:
        """The point of the schedule space."""
        return self.chosen.schedule

    @property
    def micros(self) -> float:
        """What the cost model gives it."""
        return self.chosen.micros

    @cached_property
    def fkw(self) -> FKW:
        """The weight, packed when it is first asked for."""
        return pack_candidate(self.layer, self.chosen.candidate, self.schedule)

    def kernel(self, steps: Sequence[Step[OperandSpec]] = ()) -> GpuConv2d:
        """Returns all that determines the code of the kernel."""
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
    records: Records | None = None,
) -> GpuChoice:
    """Chooses the kernel and its schedule.

    Args:
        optimizations: of these only ``sparse`` concerns a GPU.
        storage: of tensors: "float32" or "float16".
        records: measured schedules, which are preferred to what the cost model says.
    """
    geometry = GpuGeometry.of(layer.window, layer.in_shape, layer.out_shape)
    scorer = GpuScorer(geometry, gpu, records or Records(), gpu_conv2d_key(layer, gpu, storage))
    dense = scorer.best(gpu_dense_candidates(layer), sparse=False)

    def choice(chosen: ScoredGpuCandidate, reason: str, *others: ScoredGpuCandidate) -> GpuChoice:
        if chosen.seconds is not None and "as measured" not in reason:
            reason = f"{reason}; scheduled as measured"
        return GpuChoice(
            layer=layer,
            geometry=geometry,
            chosen=chosen,
            considered=(dense, *others),
            reason=reason,
            storage=storage,
        )

    if optimizations is not None and not optimizations.sparse:
        return choice(dense, "sparse kernels are switched off")
    if layer.found.kept_weights == layer.found.dense_weights:
        return choice(dense, "nothing was pruned")
    pruned = scorer.best(list(sparse_candidates(layer)), sparse=True)
    chosen, reason = _compare(layer, dense, pruned)
    return choice(chosen, reason + _on_tensor_cores(layer, chosen, gpu, storage), pruned)


def _compare(
    layer: ConvLayer, dense: ScoredGpuCandidate, pruned: ScoredGpuCandidate
) -> tuple[ScoredGpuCandidate, str]:
    """Returns the faster of the two, and why."""
    if pruned.seconds is not None and dense.seconds is not None:
        share, how = pruned.seconds / dense.seconds, "as measured"
    else:
        share, how = pruned.micros / dense.micros, "by the cost model"
    faster, reason = break_even(layer, share, how, pruned.candidate.group)
    return (pruned if faster else dense), reason


def _on_tensor_cores(
    layer: ConvLayer, chosen: ScoredGpuCandidate, gpu: GpuModel, storage: str
) -> str:
    """Says what the GPU's tensor cores would do with the dense layer, where that is faster."""
    name, advantage = ("FP16", gpu.fp16) if storage == "float16" else ("TF32", gpu.tf32)
    micros = TENSOR_CORE_START + layer.dense_macs / (gpu.peak * advantage * TENSOR_CORE_SHARE)
    if advantage <= 1 or micros >= chosen.micros:
        return ""
    return (
        f"; tensor cores in {name} would take about {micros:.0f} us for the dense layer, this "
        f"{chosen.micros:.0f}: what they can skip is 2:4 sparsity, not patterns"
    )
