"""A static model of the time that Winograd's convolution takes, beside ``conv2d_cost``.

It counts cycles of one core for the transforms, the products, and the transformed weights that
come from memory: they are several times those of the model, and each is used for a few tiles.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from te_schedules.cpu.conv2d_cost import (
    L2_LINES_PER_CYCLE,
    PRODUCT_LATENCY,
    PRODUCTS_PER_CYCLE,
    STORE_CYCLES,
    loads_per_cycle,
)
from te_schedules.cpu.conv2d_geometry import Conv2dGeometry
from te_schedules.cpu.odd_lines import LINE_BYTES
from te_schedules.cpu.tiling import Tiling
from te_schedules.cpu.winograd_phases import most_taps, phases
from te_schedules.cpu.winograd_schedule import WinogradSchedule
from te_schedules.cpu.winograd_transform import WinogradTransform
from tvm_patdnn.machine.cpu_model import CpuModel

__all__ = ["winograd_cycles", "winograd_registers"]

PLACE_CYCLES = 4.2  # load and store of a vector of a tile, with what does not fit the registers
SHARED_TERMS = 0.6  # operations for each number of a matrix that is not zero
LOADS_PER_CYCLE = 1.9  # of what was packed in order
INTERFERENCE = 0.1  # what does not bound the loop; less than in loops that jump between planes
BEYOND_SHARE = 0.3  # of the time that inputs take from beyond L1, which begin to come early
LOOP_CYCLES = 20.0  # around the channels of one place of some tiles
STRETCH_CYCLES = 8.0  # for each plane that a block is stored to: another page
CACHE_BYTES = 16.0  # in a cycle, of weights that are read in order, again
MEMORY_BYTES = 5.0  # the same for the first time in a run: memory serves all cores


def winograd_registers(schedule: WinogradSchedule) -> int:
    """Returns how many vector registers the products need."""
    return schedule.group * schedule.together + schedule.together + 1


def winograd_cycles(geometry: Conv2dGeometry, schedule: WinogradSchedule, cpu: CpuModel) -> float:
    """Returns the cycles of the whole layer, divided over no threads.

    The weights' way from memory is counted as far as it is longer than that of the model's.
    """
    layout, window = geometry.out_layout, geometry.window
    taps = most_taps(window.taps, window.stride)
    y, x = WinogradTransform(schedule.rows, taps[0]), WinogradTransform(schedule.vectors, taps[1])
    rows, columns = (
        Tiling(layout.vectors_y, schedule.rows),
        Tiling(layout.vectors_x, schedule.vectors),
    )
    units = Tiling(rows.count * columns.count, schedule.together).count
    blocks = geometry.batch * Tiling(units, schedule.units).count
    units = blocks * schedule.units
    channels = geometry.in_channels * len(phases(window.taps, window.stride))
    tiles = units * schedule.together
    groups = -(-geometry.out_channels // schedule.group)
    filters = (
        -(-groups // schedule.chunks) * schedule.chunks * schedule.group
    )  # the longest chunk's
    places = y.products * x.products
    transforms = tiles * channels * schedule.chunks * _input_cycles(y, x) * cpu.passes
    outputs = tiles * _output_cycles(y, x, schedule) * cpu.passes
    transforms += filters * (outputs + blocks * STRETCH_CYCLES)
    calls = places * units * (filters // schedule.group)
    products = calls * (LOOP_CYCLES + channels * _step_cycles(schedule, channels, cpu))
    weights = 4.0 * places * channels * geometry.out_channels
    passes = weights * blocks / CACHE_BYTES if weights > cpu.l2_room else 0.0
    return transforms + products + passes + (weights - _plain(geometry)) / MEMORY_BYTES


def _plain(geometry: Conv2dGeometry) -> float:
    """Returns the bytes of the weights as the model has them."""
    return 4.0 * math.prod(geometry.window.taps) * geometry.in_channels * geometry.out_channels


def _step_cycles(schedule: WinogradSchedule, channels: int, cpu: CpuModel) -> float:
    """Returns the cycles of one channel's products with a group of filters and some tiles.

    Between two groups the inputs of a unit are read, at one place, or those of a block where
    there is but one.
    """
    sums, loads = schedule.group * schedule.together, schedule.group + schedule.together
    unit_bytes = 4 * cpu.lanes * schedule.together
    held = unit_bytes * channels * (1 if schedule.transforms else schedule.units)
    beyond_l1 = unit_bytes / LINE_BYTES / L2_LINES_PER_CYCLE if held > cpu.l1_room else 0.0
    bounds = (
        sums * cpu.passes / PRODUCTS_PER_CYCLE,
        loads / loads_per_cycle(LOADS_PER_CYCLE, cpu),
        PRODUCT_LATENCY,
    )
    others = sum(bounds) - max(bounds)
    return max(bounds) + INTERFERENCE * others + BEYOND_SHARE * beyond_l1


@cache
def _input_cycles(y: WinogradTransform, x: WinogradTransform) -> float:
    """Returns the cycles of one tile's inputs of one channel."""
    operations = y.products * _operations(x, "of_inputs") + x.products * _operations(y, "of_inputs")
    return operations / PRODUCTS_PER_CYCLE + PLACE_CYCLES * y.products * x.products


@cache
def _output_cycles(y: WinogradTransform, x: WinogradTransform, schedule: WinogradSchedule) -> float:
    """Returns the cycles of one tile's outputs of one filter."""
    results = schedule.rows * schedule.vectors
    stores = STORE_CYCLES * results
    if y.products * x.products == 1:
        return stores
    operations = y.products * _operations(x, "of_outputs") + x.outputs * _operations(
        y, "of_outputs"
    )
    return operations / PRODUCTS_PER_CYCLE + PLACE_CYCLES * y.products * x.products + stores


def _operations(transform: WinogradTransform, of: str) -> float:
    matrix: np.ndarray = getattr(transform, of)
    rows, columns = matrix.shape
    if rows == columns and np.array_equal(matrix, np.eye(rows)):
        return 0.0
    return SHARED_TERMS * np.count_nonzero(matrix)
