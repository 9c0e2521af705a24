"""Says of each convolution on a GPU what the report says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from relay_passes.gpu.plan_gpu import PlannedKernel
from relay_passes.recognition.report_row import report_row
from te_schedules.gpu.expected_loads import expected_loads
from tvm_patdnn.layer_report import LayerReport

__all__ = ["report_gpu"]


def report_gpu(planned: Iterable[PlannedKernel]) -> list[LayerReport]:
    """Returns the rows of the report, in the order of computation."""
    return [_row(each) for each in planned]


def _row(planned: PlannedKernel) -> LayerReport:
    layer, choice = planned.layer, planned.choice
    loads = expected_loads(planned.kernel)
    return report_row(
        layer,
        value_bytes=4,
        kernel=choice.kind,
        joined=False,
        reason=choice.reason,
        schedule=asdict(choice.schedule),
        input_loads=loads.inputs,
        products=loads.products,
        bytes=choice.fkw.total_bytes,
        structure_bytes=choice.fkw.structure_bytes,
    )
