"""Says of each convolution that is computed in int8 what the report says."""

from __future__ import annotations

from tvm import relax

from relay_passes.int8.graph import Int8Node
from relay_passes.int8.plan import Int8Plan, PlannedKernel
from relay_passes.recognition.report_row import report_row
from relay_passes.relax_ir.values import operator_name
from tvm_patdnn.layer_report import LayerReport
from tvm_patdnn.sparse.weight_key import weight_key

__all__ = ["notes_on_numbers", "report_int8"]


def report_int8(plan: Int8Plan) -> list[LayerReport]:
    """Returns the rows of the convolutions, in the order of computation."""
    return [_row(planned) for planned in plan.kernels.values() if not planned.layer.flat]


def notes_on_numbers(plan: Int8Plan) -> dict[str, str]:
    """Says of each convolution that stays on numbers why it does, by its name."""
    notes: dict[str, str] = {}
    for item in plan.items:
        if not isinstance(item, Int8Node) and operator_name(item.value) == "relax.nn.conv2d":
            notes[_name(plan, item)] = f"in float32, as {_reason(plan, item)}"
    return notes


def _name(plan: Int8Plan, binding: relax.Binding) -> str:
    weight = plan.known.values(binding.value.args[1])
    key = weight_key(weight) if weight is not None else ""
    return plan.known.names.get(key, str(binding.var.name))


def _reason(plan: Int8Plan, binding: relax.Binding) -> str:
    known = plan.known
    if known.integers(binding.value.args[1]) is None:
        return "its weights are not quantised"
    if known.tensor(binding.value.args[0]) is None:
        return "its input is not quantised"
    if binding.var in known.drafts:
        return "its result is not quantised, or to steps too small for float32 to round"
    return "there is no int8 kernel for it"


def _row(planned: PlannedKernel) -> LayerReport:
    kernel = planned.kernel
    return report_row(
        planned.convolution,
        value_bytes=1,
        kernel=kernel.kind,
        joined=False,
        reason=kernel.reason,
        schedule=dict(kernel.schedule),
        input_loads=kernel.input_loads,
        products=kernel.products,
        bytes=kernel.bytes,
        structure_bytes=kernel.structure_bytes,
        dtype="int8",
    )
