"""The kernel of a quantised convolution or matrix product."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from tvm.tirx import PrimFunc

from te_schedules.cpu.int8.choose_conv2d import GENERATORS, AnyConv2d, choose_conv2d
from te_schedules.cpu.int8.choose_strips import DENSE
from te_schedules.cpu.int8.fully_connected import Int8Matrix, int8_fully_connected
from te_schedules.cpu.int8.instruction_sets import instructions_for
from te_schedules.cpu.int8.layer import Int8Layer
from te_schedules.cpu.int8.winograd_kernel import TileConv2d
from tvm_patdnn.machine.cpu_model import CpuModel

__all__ = ["Int8Kernel", "choose_int8_kernel", "int8_kernel", "kind_of"]

Kind = Literal["pattern", "connectivity", "dense", "depthwise"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Int8Kernel:
    """What a layer is computed by.

    Attributes:
        kind: see ``LayerReport``.
        reason: why this one, for people.
        constants: arrays that the function takes, by name and in order.
        func: of (data, *constants, [residual], output).
        bytes: of the packed weight, of which ``structure_bytes`` are not weights.
        input_loads, products: vectors of bytes that are loaded, and that are multiplied.
    """

    kind: Kind
    reason: str
    constants: Mapping[str, np.ndarray]
    func: PrimFunc
    bytes: int
    structure_bytes: int
    input_loads: int
    products: int
    schedule: Mapping[str, Any] = field(default_factory=dict)


def choose_int8_kernel(
    layer: Int8Layer, cpu: CpuModel, *, sparse: bool = True, transforms: bool = True
) -> Int8Kernel:
    """Returns the kernel of a layer.

    Args:
        sparse, transforms: see ``choose_conv2d``.
    """
    if layer.flat:
        return _product(layer, cpu, sparse)
    chosen = choose_conv2d(layer, cpu, sparse=sparse, transforms=transforms)
    return int8_kernel(chosen, sparse=sparse)


def int8_kernel(chosen: AnyConv2d, *, sparse: bool, why: str = "") -> Int8Kernel:
    """Returns what a convolution's kernel is to a network.

    Args:
        sparse: whether it skips what was pruned.
        why: it was chosen, if not by its cost.
    """
    counts, transformed = chosen.counts, isinstance(chosen, TileConv2d)
    return Int8Kernel(
        kind=kind_of(chosen.layer, sparse and not transformed),
        reason=f"{chosen.reason}; {why}" if why else chosen.reason,
        constants=chosen.constants,
        func=GENERATORS[type(chosen)](chosen),
        bytes=counts.weight_bytes + counts.structure_bytes,
        structure_bytes=counts.structure_bytes,
        input_loads=counts.input_loads,
        products=counts.products,
        schedule=_report(chosen),
    )


def _report(chosen: AnyConv2d) -> Mapping[str, Any]:
    if isinstance(chosen, TileConv2d):
        return {"taps": "winograd", **vars(chosen.schedule)}
    return chosen.schedule


def kind_of(layer: Int8Layer, sparse: bool) -> Kind:
    """Tells how a layer was pruned, by its zeros."""
    if layer.depthwise:
        return "depthwise"
    kept = (layer.weight != 0).reshape(*layer.weight.shape[:2], -1)
    if not sparse or kept.mean() >= DENSE:
        return "dense"
    kernels = kept[kept.any(axis=2)]
    return "connectivity" if kernels.size == 0 or kernels.mean() >= DENSE else "pattern"


def _product(layer: Int8Layer, cpu: CpuModel, sparse: bool) -> Int8Kernel:
    """Returns the kernel of a matrix product."""
    matrix = Int8Matrix(layer=layer, instructions=instructions_for(cpu), sparse=sparse)
    constants = matrix.constants
    times, structure = layer.in_shape[0], constants["offset"].nbytes + constants["input"].nbytes
    return Int8Kernel(
        kind=kind_of(layer, sparse),
        reason=f"a matrix, four inputs at a time, by {matrix.instructions.name}",
        constants=constants,
        func=int8_fully_connected(matrix),
        bytes=constants["weight"].nbytes + structure,
        structure_bytes=structure,
        input_loads=matrix.quads.entries * times,
        products=constants["weight"].nbytes // matrix.instructions.bytes * times,
        schedule={"block": matrix.block},
    )
