"""What a learned cost model knows of a kernel by transforms; see ``strip_features``."""

from __future__ import annotations

import math

from te_schedules.cost_feature import COST, cost_feature
from te_schedules.cpu.int8.winograd_cost import tile_cost
from te_schedules.cpu.int8.winograd_kernel import TileConv2d
from tvm_patdnn.machine.cpu_model import CpuModel

__all__ = ["tile_features"]


def tile_features(kernel: TileConv2d, cpu: CpuModel) -> dict[str, float]:
    """Returns the features of a kernel, its layer and its CPU, by names of ``strip_features``."""
    layer, schedule = kernel.layer, kernel.schedule
    tasks = layer.in_shape[0] * kernel.blocks * schedule.chunks
    vectors = schedule.together * schedule.group
    held = 2 * kernel.places * kernel.place_words
    sizes = {
        "rows": kernel.block_height,
        "group": schedule.group,
        "tile": schedule.together,
        "chunks": schedule.chunks,
        "vectors of sums": vectors,
        "registers": vectors / kernel.words.registers,
        "strips": kernel.blocks,
        "tasks": tasks,
        "idle": -(-tasks // cpu.num_cores) * cpu.num_cores / tasks,
        "in channels": layer.in_shape[1],
        "filters": layer.out_shape[1],
        "pixels": layer.out_pixels,
        "window": math.prod(layer.window.taps),
        "stride": math.prod(layer.window.stride),
        "groups": layer.groups,
        "entries of a group": kernel.places * kernel.pairs,
        "weights by L1": kernel.counts.weight_bytes / cpu.l1_bytes,
        "strip by L1": held / cpu.l1_room,
        "strip by L2": held / cpu.l2_room,
        "wasted": kernel.vectors
        * kernel.words.lanes
        * kernel.blocks
        * _tile(kernel)
        / layer.out_pixels,
        "lanes": kernel.words.lanes,
        "threads": cpu.num_cores,
    }
    plain = {
        "sparse": 0.0,
        "cells": 0.0,
        "patches": 0.0,
        "transforms": float(_tile(kernel)),
        COST: cost_feature(tile_cost(kernel, cpu)),
    }
    return {name: round(math.log2(1 + value), 4) for name, value in sizes.items()} | plain


def _tile(kernel: TileConv2d) -> int:
    return kernel.schedule.height * kernel.schedule.width
