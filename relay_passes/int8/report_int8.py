"""Says of each convolution that is computed in int8 what the report says."""

from __future__ import annotations

from tvm import relax

from relay_passes.int8.graph import Convolution, Int8Node
from relay_passes.int8.plan import Int8Plan, PlannedKernel
from relay_passes.relax_ir.values import operator_name
from tvm_patdnn.layer_report import LayerReport
from tvm_patdnn.sparse.weight_key import weight_key

__all__ = ["notes_on_numbers", "report_int8"]


def report_int8(plan: Int8Plan) -> list[LayerReport]:
    """Returns the rows of the convolutions, in the order of computation."""
    return [_row(planned) for planned in plan.kernels.values() if not planned.node.int8.flat]  # type: ignore[union-attr]


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
