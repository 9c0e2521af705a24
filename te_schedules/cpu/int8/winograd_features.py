"""What a learned cost model knows of a kernel by transforms; see ``strip_features``."""

from __future__ import annotations

from te_schedules.cost_feature import COST, cost_feature
from te_schedules.cpu.int8.layer_features import layer_sizes, logarithms
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
    sizes = layer_sizes(layer, cpu, tasks=tasks, held=held) | {
        "rows": kernel.block_height,
        "group": schedule.group,
        "tile": schedule.together,
        "chunks": schedule.chunks,
        "vectors of sums": vectors,
        "registers": vectors / kernel.words.registers,
        "strips": kernel.blocks,
        "entries of a group": kernel.places * kernel.pairs,
        "weights by L1": kernel.counts.weight_bytes / cpu.l1_bytes,
        "wasted": kernel.vectors
        * kernel.words.lanes
        * kernel.blocks
        * _tile(kernel)
        / layer.out_pixels,
        "lanes": kernel.words.lanes,
    }
    plain = {
        "sparse": 0.0,
        "cells": 0.0,
        "patches": 0.0,
        "transforms": float(_tile(kernel)),
        COST: cost_feature(tile_cost(kernel, cpu)),
    }
    return logarithms(sizes) | plain


def _tile(kernel: TileConv2d) -> int:
    return kernel.schedule.height * kernel.schedule.width
