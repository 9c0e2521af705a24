"""Says of each convolution on a GPU what the report says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from relay_passes.gpu.plan_gpu import PlannedKernel
from tvm_patdnn.layer_report import LayerReport

__all__ = ["report_gpu"]


def report_gpu(planned: Iterable[PlannedKernel]) -> list[LayerReport]:
    """Returns the rows of the report, in the order of computation."""
    return [_row(each) for each in planned]


def _row(planned: PlannedKernel) -> LayerReport:
    layer, choice = planned.layer, planned.choice
    found = layer.found
    return LayerReport(
        name=layer.name,
        in_shape=list(layer.in_shape),
        out_shape=list(layer.out_shape),
        kernel_shape=list(layer.kernel_shape),
        stride=list(layer.stride),
        groups=layer.groups,
        patterns=[str(pattern) for pattern in found.patterns],
        pattern_counts=list(found.counts),
        kept_kernels=found.kept_kernels,
        kernels=int(found.ids.size),
        compression=found.compression if found.kept_weights else None,
        dense_macs=layer.dense_macs,
        kept_macs=layer.kept_macs,
        kernel=choice.kind,
        joined=False,
        reason=choice.reason,
        schedule=asdict(choice.schedule),
        input_loads=0,
        products=0,
        bytes=choice.fkw.total_bytes,
        structure_bytes=choice.fkw.structure_bytes,
        dense_bytes=4 * layer.weight.size,
        csr_bytes=8 * found.kept_weights + 4 * (layer.weight.shape[0] + 1),
    )
