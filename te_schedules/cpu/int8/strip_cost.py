"""What a kernel for bytes costs with a schedule, in vector operations of one thread.

It need not be true: it ranks schedules of one kernel, whose differences are coarse, such as
lanes that a tile wastes, threads without work, or a strip that no cache holds.
"""

from __future__ import annotations

from te_schedules.cpu.int8.strip_kernel import StripConv2d
from tvm_patdnn.machine.cpu_model import CpuModel

__all__ = ["strip_cost"]

EPILOGUE = 10  # operations for a vector of sums: to float, scaled, clipped, rounded, narrowed
ENTRY = 3  # of a loop over entries besides products: its end, where its inputs are
L2_SHARE = 0.5  # of what the cache has room for: outputs and weights pass through it, too
SLOWER = {"L1": 1.0, "L2": 1.15, "beyond": 1.8}  # loads of the inputs of products


def strip_cost(kernel: StripConv2d, cpu: CpuModel) -> float:
    """Returns the operations of the thread that has most to do."""
    strip = kernel.strip
    tasks = kernel.layer.in_shape[0] * kernel.strips * kernel.chunks
    turns = -(-tasks // cpu.num_cores)
    return turns * (strip.copy_operations + _multiply(kernel, cpu) / kernel.chunks)


def _multiply(kernel: StripConv2d, cpu: CpuModel) -> float:
    """Returns the operations of all groups of filters in one strip."""
    products, strip = kernel.products, kernel.strip
    entries, groups = products.quads.entries, len(products.quads.offset) - 1
    held = strip.planes * strip.channel_bytes
    cache = "L1" if held <= cpu.l1_room else "L2" if held <= L2_SHARE * cpu.l2_room else "beyond"
    load, dot = products.load_operations * SLOWER[cache], strip.instructions.dot_operations
    vectors = kernel.tile * products.vectors * kernel.group
    each = ENTRY + 2 * kernel.group + kernel.tile * load + vectors * dot
    return kernel.tiles * (entries * each + groups * vectors * EPILOGUE)
