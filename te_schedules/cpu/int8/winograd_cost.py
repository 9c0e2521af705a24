"""What a kernel by transforms costs, in the operations that ``strip_cost`` counts.

Each part is counted in vector operations; what they wait for is fitted to measured layers.
"""

from __future__ import annotations

import numpy as np

from te_schedules.cpu.int8.planes import LINE
from te_schedules.cpu.int8.winograd_kernel import TileConv2d
from tvm_patdnn.machine.cpu_model import CpuModel

__all__ = ["tile_cost"]

LOAD = 0.6  # of a vector that is multiplied, or of a weight that is repeated
LOOP = 1.0  # of a pair of channels, besides
CALL = 40.0  # around the channels of one place of some tiles
SHARED = 0.8  # operations for each number of a matrix that is not zero
PLACE = 3.0  # load and store of a vector of a tile, with what does not fit the registers
SPREAD = 8.0  # bytes of a column of some tiles to words, with their copying
RESULT = 14.0  # a vector of results: multiplied, biased, and requantised
BEYOND_L2 = 4.0  # a line of what is transformed, written and read again
CACHE_BYTES = 4.0  # in an operation, of weights that are read in order, again
MEMORY_BYTES = 1.25  # the same for the first time in a run: memory serves all cores


def tile_cost(kernel: TileConv2d, cpu: CpuModel) -> float:
    """Returns the operations of the thread that has most to do."""
    schedule = kernel.schedule
    tasks = kernel.layer.in_shape[0] * kernel.blocks * schedule.chunks
    turns = -(-tasks // cpu.num_cores)
    filters = kernel.most_filters
    made = 2 * kernel.place_words + 4 * kernel.place_sums
    beyond = BEYOND_L2 * kernel.places * made / LINE if kernel.places * made > cpu.l2_bytes else 0.0
    weights = 2.0 * kernel.places * kernel.pairs * kernel.words.depth * filters
    passes = weights / CACHE_BYTES if weights > cpu.l2_room else 0.0
    each = _inputs(kernel) + _products(kernel) + _outputs(kernel) + beyond + passes
    return turns * each + min(turns, schedule.chunks) * weights / MEMORY_BYTES


def _inputs(kernel: TileConv2d) -> float:
    """Returns the operations of a block's inputs."""
    schedule, y, x = kernel.schedule, kernel.y, kernel.x
    rows = kernel.block_height + y.products - y.outputs
    moves = -(-(kernel.across + 1) // kernel.step)
    spread = SPREAD * rows * moves * schedule.width
    maps = y.products * np.count_nonzero(x.of_inputs) + x.products * np.count_nonzero(y.of_inputs)
    each = SHARED * maps + PLACE * kernel.places
    return float(kernel.pairs * (spread + schedule.rows * kernel.steps * each))


def _products(kernel: TileConv2d) -> float:
    """Returns the operations of a block's products with the filters of a chunk."""
    schedule, words = kernel.schedule, kernel.words
    units, rest = divmod(kernel.vectors, schedule.together)

    def of_unit(vectors: int) -> float:
        loads = LOAD * (vectors + schedule.group)
        step = words.operations * vectors * schedule.group + loads + LOOP
        return CALL + kernel.pairs * step if vectors else 0.0

    groups = kernel.most_filters // schedule.group
    return groups * kernel.places * (units * of_unit(schedule.together) + of_unit(rest))


def _outputs(kernel: TileConv2d) -> float:
    """Returns the operations of a block's results."""
    y, x = kernel.y, kernel.x
    maps = y.products * np.count_nonzero(x.of_sums) + x.outputs * np.count_nonzero(y.of_sums)
    each = SHARED * maps + PLACE * kernel.places + RESULT * y.outputs * x.outputs
    return float(kernel.most_filters * kernel.vectors * each)
