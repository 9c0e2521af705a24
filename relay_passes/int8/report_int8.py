"""Says of each convolution that is computed in int8 what the report says."""

from __future__ import annotations

from relay_passes.int8.graph import Convolution
from relay_passes.int8.plan import Int8Plan, PlannedKernel
from tvm_patdnn.layer_report import LayerReport

__all__ = ["report_int8"]


def report_int8(plan: Int8Plan) -> list[LayerReport]:
    """Returns the rows of the convolutions, in the order of computation."""
    return [_row(planned) for planned in plan.kernels.values() if not planned.node.int8.flat]  # type: ignore[union-attr]


def _row(planned: PlannedKernel) -> LayerReport:
    operator, kernel = planned.node.operator, planned.kernel
    assert isinstance(operator, Convolution), "only convolutions are reported"
    layer, found = operator.layer, operator.layer.found
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
        kernel=kernel.kind,
        joined=False,
        reason=kernel.reason,
        schedule=dict(kernel.schedule),
        input_loads=kernel.input_loads,
        products=kernel.products,
        bytes=kernel.bytes,
        structure_bytes=kernel.structure_bytes,
        dense_bytes=layer.weight.size,
        csr_bytes=5 * found.kept_weights + 4 * (layer.weight.shape[0] + 1),
        dtype="int8",
    )
