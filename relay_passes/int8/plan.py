"""The plan of what is computed in int8: kernels, and the bindings that stay as they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from tvm import relax

from relay_passes.int8.drafts import Known, unquantised_product
from relay_passes.int8.fuse_residuals import fuse_residual
from relay_passes.int8.graph import Convolution, Int8Node, Quantize
from relay_passes.int8.recognize import recognize
from relay_passes.int8.recorded_strips import recorded_kernel, strip_key
from relay_passes.recognition.analyze_convolutions import ConvLayer
from relay_passes.relax_ir.values import operator_name
from te_schedules.cpu.int8.conv2d import Int8Kernel, choose_int8_kernel
from te_schedules.cpu.int8.layer import Int8Layer
from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.records.tuning_key import TuningKey
from tvm_patdnn.records.tuning_records import Records

__all__ = ["Int8Plan", "PlannedKernel", "plan_int8"]

Item: TypeAlias = Int8Node | relax.Binding


@dataclass(frozen=True, kw_only=True, eq=False)
class PlannedKernel:
    """A convolution or a matrix product, and the kernel it gets."""

    node: Int8Node
    cpu: CpuModel
    sparse: bool
    transforms: bool
    records: Records

    @cached_property
    def kernel(self) -> Int8Kernel:
        """The kernel, made when it is first asked for."""
        how = {"sparse": self.sparse, "transforms": self.transforms}
        recorded = None
        if self.records and not self.layer.flat:
            recorded = recorded_kernel(self.key, self.layer, self.cpu, self.records, **how)
        return recorded or choose_int8_kernel(self.layer, self.cpu, **how)

    @property
    def layer(self) -> Int8Layer:
        """What it computes."""
        assert self.node.int8 is not None, "only layers are planned"
        return self.node.int8

    @property
    def convolution(self) -> ConvLayer:
        """The layer of the model."""
        assert isinstance(self.node.operator, Convolution), "only layers are planned"
        return self.node.operator.layer

    @property
    def key(self) -> TuningKey:
        """What tuning records call it."""
        return strip_key(self.convolution, self.layer, self.cpu)


@dataclass(frozen=True, kw_only=True, eq=False)
class Int8Plan:
    """What becomes of the bindings of a function.

    Attributes:
        items: nodes, and the bindings that stay as they are, in the order of computation;
            nothing else is needed for the result.
        kernels: of the nodes that are convolutions or matrix products, by their results.
        known: what the bindings compute.
    """

    items: Sequence[Item]
    kernels: Mapping[relax.Var, PlannedKernel]
    known: Known


def plan_int8(
    bindings: Sequence[relax.Binding],
    result: relax.Expr,
    names: Mapping[str, str],
    cpu: CpuModel,
    *,
    sparse: bool = True,
    transforms: bool = True,
    records: Records | None = None,
) -> Int8Plan:
    """Plans the function that computes ``result`` by ``bindings``, given in order.

    Args:
        names: names of layers by ``weight_key`` of their weights.
        sparse: False computes pruned layers as if they were dense.
        transforms: whether 3x3 layers may be by Winograd's.
        records: measured kernels, which are preferred to what costs least.
    """
    known = Known(names=names)
    items = _live(_recognized(bindings, known), result, known)
    items = _live(_fused(items), result, known)
    items = _without_lonely(items, {binding.var: binding for binding in bindings})
    how: Any = {"sparse": sparse, "transforms": transforms, "records": records or Records()}
    kernels = {
        item.result: PlannedKernel(node=item, cpu=cpu, **how)
        for item in items
        if isinstance(item, Int8Node) and item.int8 is not None
    }
    return Int8Plan(items=items, kernels=kernels, known=known)


def _recognized(bindings: Sequence[relax.Binding], known: Known) -> list[Item]:
    items: list[Item] = []
    for binding in bindings:
        nodes = recognize(known, binding.var, binding.value)
        items += nodes or (binding,)
    return items


def _live(items: Sequence[Item], result: relax.Expr, known: Known) -> list[Item]:
    """Returns the items that ``result`` depends on; products that stay numbers have kernels."""
    needed = set(relax.analysis.free_vars(result))
    kept: list[Item] = []
    for item in reversed(items):
        if _result(item) in needed or (not isinstance(item, Int8Node) and _has_effect(item)):
            for each in reversed(_with_kernel(item, known)):
                needed.update(_reads(each))
                kept.append(each)
    first: dict[relax.Var, Item] = {}
    for item in reversed(kept):
        first.setdefault(_result(item), item)  # what leads to a draft may be there twice
    return [*first.values()]


def _with_kernel(item: Item, known: Known) -> tuple[Item, ...]:
    """Returns an item as it is, or, of a product whose results stay numbers, its nodes."""
    if isinstance(item, Int8Node):
        return (item,)
    product = unquantised_product(known, item.var)
    return (*known.drafts[item.var].before, product) if product is not None else (item,)


def _fused(items: Sequence[Item]) -> list[Item]:
    reads = Counter(var for item in items for var in _reads(item))
    nodes: dict[relax.Var, Int8Node] = {}
    fused: list[Item] = []
    for item in items:
        if isinstance(item, Int8Node):
            item = nodes[item.result] = fuse_residual(item, nodes, reads)
        fused.append(item)
    return fused


def _without_lonely(
    items: Sequence[Item], bindings: Mapping[relax.Var, relax.Binding]
) -> list[Item]:
    """Leaves to TVM what is quantised for no kernel of ours."""
    read = {var for item in items if isinstance(item, Int8Node) for var in item.reads}
    return [
        bindings[item.result]
        if isinstance(item, Int8Node)
        and isinstance(item.operator, Quantize)
        and item.result not in read
        else item
        for item in items
    ]


def _result(item: Item) -> relax.Var:
    return item.result if isinstance(item, Int8Node) else item.var


def _reads(item: Item) -> Iterable[relax.Var]:
    return item.reads if isinstance(item, Int8Node) else relax.analysis.free_vars(item.value)


def _has_effect(binding: relax.Binding) -> bool:
    """Whether a binding is kept, read or not, as it checks what it is given."""
    return isinstance(binding, relax.MatchCast) or operator_name(binding.value) == ""
