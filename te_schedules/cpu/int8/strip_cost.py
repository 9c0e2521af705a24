"""What a kernel for bytes costs with a schedule, in vector operations of one thread.

It need not be true: it ranks schedules of one kernel, whose differences are coarse, such as
lanes that a tile wastes, threads without work, or a strip that no cache holds.
"""

from __future__ import annotations

from te_schedules.cpu.int8.planes import LINE
from te_schedules.cpu.int8.strip_kernel import StripConv2d
from tvm_patdnn.machine.cpu_model import CpuModel

__all__ = ["strip_cost"]

EPILOGUE = 10  # operations for a vector of sums: to float, scaled, clipped, rounded, narrowed
COUPLED = 5 / 6  # of a dot product: two share the widening, and add the sums before it
INDEX = 4  # bytes of an entry that say where its inputs are, about
ENTRY = 3  # of a loop over entries besides products: its end, where its inputs are
L2_SHARE = 1.1  # of what is counted as room in L2: half of it; outputs pass through, too
LINE_FROM = {"L1": 0.0, "L2": 1.0, "beyond": 8.0}  # operations that a line keeps others waiting


def strip_cost(kernel: StripConv2d, cpu: CpuModel) -> float:
    """Returns the operations of the thread that has most to do."""
    strip = kernel.strip
    tasks = kernel.layer.in_shape[0] * kernel.strips * kernel.chunks
    turns = -(-tasks // cpu.num_cores)
    copies = kernel.groups / kernel.chunks if strip.own else 1
    return turns * (copies * strip.copy_operations + _multiply(kernel, cpu) / kernel.chunks)


def _multiply(kernel: StripConv2d, cpu: CpuModel) -> float:
    """Returns the operations of all groups of filters in one strip."""
    products, strip, instructions = kernel.products, kernel.strip, kernel.strip.instructions
    entries, groups = products.quads.entries, kernel.groups
    inputs = _waiting(strip.planes * strip.channel_bytes, cpu) * instructions.bytes / LINE
    vectors = kernel.tile * products.vectors * kernel.group
    loads = kernel.tile * (products.load_operations + products.loads * inputs)
    dots = instructions.dot_operations * (1 if products.quads.coupled is None else COUPLED)
    each = ENTRY + 2 * kernel.group + loads + vectors * dots
    weights = products.quads.weight.nbytes + INDEX * entries
    return (
        kernel.tiles * (entries * each + groups * vectors * EPILOGUE)
        + _waiting(weights, cpu) * weights / LINE
    )


def _waiting(held: int, cpu: CpuModel) -> float:
    """Returns the operations that a line costs, of so many bytes that are read again and again."""
    if held <= cpu.l1_room:
        return LINE_FROM["L1"]
    return LINE_FROM["L2" if held <= L2_SHARE * cpu.l2_room else "beyond"]
