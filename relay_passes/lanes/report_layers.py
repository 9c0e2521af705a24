"""Says of each planned convolution what the report says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from enum import Enum
from typing import Any

from relay_passes.lanes.plan import LanePlan, PlannedConvolution, PlannedPair
from relay_passes.recognition.report_row import report_row
from te_schedules.cpu.conv2d_configuration import AnySchedule
from tvm_patdnn.layer_report import LayerReport

__all__ = ["report_layers"]


def report_layers(plan: LanePlan) -> list[LayerReport]:
    """Returns the rows of the report, in the order of computation."""
    return list(_rows(plan))


def _rows(plan: LanePlan) -> Iterator[LayerReport]:
    for item in plan.items:
        if isinstance(item, PlannedPair):
            name = item.first.layer.name
            reason = f"in one kernel with {name}, whose planes stay in the cache"
            yield _row(item.first)
            yield _row(item.depthwise, joined=True, reason=reason)
        elif isinstance(item, PlannedConvolution):
            yield _row(item)


def _row(
    planned: PlannedConvolution, *, joined: bool = False, reason: str | None = None
) -> LayerReport:
    layer, choice, loads = planned.layer, planned.choice, planned.loads
    fkw = choice.fkw
    return report_row(
        layer,
        value_bytes=4,
        kernel=choice.kind,
        joined=joined,
        reason=reason or choice.reason,
        schedule={**_plain(choice.schedule), "taps": planned.kernel.way},
        input_loads=loads.inputs,
        products=loads.products,
        bytes=fkw.total_bytes,
        structure_bytes=fkw.structure_bytes,
    )


def _plain(schedule: AnySchedule) -> dict[str, Any]:
    """Returns the fields of a schedule as JSON has them."""
    fields = asdict(schedule)
    return {
        name: value.value if isinstance(value, Enum) else value for name, value in fields.items()
    }
