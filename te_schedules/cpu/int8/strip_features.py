"""What a learned cost model knows of a kernel for bytes: numbers that compare between layers."""

from __future__ import annotations

from te_schedules.cost_feature import COST, cost_feature
from te_schedules.cpu.int8.layer_features import layer_sizes, logarithms
from te_schedules.cpu.int8.strip_configuration import products_name
from te_schedules.cpu.int8.strip_cost import strip_cost
from te_schedules.cpu.int8.strip_kernel import StripConv2d
from tvm_patdnn.machine.cpu_model import CpuModel

__all__ = ["strip_features"]


def strip_features(kernel: StripConv2d, cpu: CpuModel, *, sparse: bool) -> dict[str, float]:
    """Returns the features of a kernel, its layer and its CPU; sizes are logarithms."""
    layer, strip, quads = kernel.layer, kernel.strip, kernel.products.quads
    tasks = layer.in_shape[0] * kernel.strips * kernel.chunks
    vectors = kernel.tile * kernel.products.vectors * kernel.group
    held = strip.planes * strip.channel_bytes
    sizes = layer_sizes(layer, cpu, tasks=tasks, held=held) | {
        "rows": strip.rows,
        "group": kernel.group,
        "tile": kernel.tile,
        "chunks": kernel.chunks,
        "vectors of sums": vectors,
        "registers": vectors / strip.instructions.registers,
        "strips": kernel.strips,
        "entries of a group": quads.entries / max(1, kernel.groups),
        "weights by L1": quads.weight.nbytes / cpu.l1_bytes,
        "wasted": kernel.tiles * kernel.tile_pixels * kernel.strips / layer.out_pixels,
        "lanes": strip.instructions.lanes,
    }
    name = products_name(kernel.products)
    plain = {
        "sparse": float(sparse),
        "cells": float(name in ("cells", "columns")),
        "patches": float(name.startswith("patches")),
        COST: cost_feature(strip_cost(kernel, cpu)),
    }
    return logarithms(sizes) | plain
