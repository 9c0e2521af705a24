"""What a learned cost model knows of a kernel for bytes: numbers that compare between layers."""

from __future__ import annotations

import math

from te_schedules.cost_feature import COST, cost_feature
from te_schedules.cpu.int8.strip_configuration import products_name
from te_schedules.cpu.int8.strip_cost import strip_cost
from te_schedules.cpu.int8.strip_kernel import StripConv2d
from tvm_patdnn.machine.cpu_model import CpuModel

__all__ = ["strip_features"]


def strip_features(kernel: StripConv2d, cpu: CpuModel, *, sparse: bool) -> dict[str, float]:
    """Returns the features of a kernel, its layer and its CPU.

    Sizes are base-2 logarithms, so that a factor is the same difference everywhere.
    """
    layer, strip, quads = kernel.layer, kernel.strip, kernel.products.quads
    tasks = layer.in_shape[0] * kernel.strips * kernel.chunks
    vectors = kernel.tile * kernel.products.vectors * kernel.group
    held = strip.planes * strip.channel_bytes
    sizes = {
        "rows": strip.rows,
        "group": kernel.group,
        "tile": kernel.tile,
        "chunks": kernel.chunks,
        "vectors of sums": vectors,
        "registers": vectors / strip.instructions.registers,
        "strips": kernel.strips,
        "tasks": tasks,
        "idle": -(-tasks // cpu.num_cores) * cpu.num_cores / tasks,
        "in channels": layer.in_shape[1],
        "filters": layer.out_shape[1],
        "pixels": layer.out_pixels,
        "window": math.prod(layer.window.taps),
        "stride": math.prod(layer.window.stride),
        "groups": layer.groups,
        "entries of a group": quads.entries / max(1, kernel.groups),
        "weights by L1": quads.weight.nbytes / cpu.l1_bytes,
        "strip by L1": held / cpu.l1_room,
        "strip by L2": held / cpu.l2_room,
        "wasted": kernel.tiles * kernel.tile_pixels * kernel.strips / layer.out_pixels,
        "lanes": strip.instructions.lanes,
        "threads": cpu.num_cores,
    }
    name = products_name(kernel.products)
    plain = {
        "sparse": float(sparse),
        "cells": float(name in ("cells", "columns")),
        "patches": float(name.startswith("patches")),
        COST: cost_feature(strip_cost(kernel, cpu)),
    }
    return {name: round(math.log2(1 + value), 4) for name, value in sizes.items()} | plain
