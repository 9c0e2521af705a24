"""A static model of the time that a convolution takes on a GPU.

It weighs what bounds a block: instructions that begin, products, accesses to shared memory, and
the latency of a warp that has too few neighbours; and for the whole GPU bytes from the
second-level cache and how evenly blocks fill it. It ranks schedules and kernels; bank conflicts,
clocks and other work on the GPU are not in it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from te_schedules.gpu.block_loads import LoadPlan
from te_schedules.gpu.conv2d_geometry import GpuGeometry
from te_schedules.gpu.conv2d_schedule import GpuSchedule
from te_schedules.gpu.lane_inputs import lane_tile
from te_schedules.gpu.list_products import lane_reads
from te_schedules.gpu.shared_tile import SharedTile
from te_schedules.window import Window
from tvm_patdnn.machine.gpu_model import GpuModel
from tvm_patdnn.sparse.patterns import Pattern

__all__ = [
    "Estimate",
    "GpuLists",
    "busy_blocks",
    "busy_warps",
    "estimate",
    "registers",
    "shared_bytes",
]

KERNEL_INSTRUCTIONS = 9.0  # of a loop over kernels besides products and loads: seen in SASS
RUN_INSTRUCTIONS = 4.0  # between the loops
SHARED_LATENCY = 35.0  # cycles from a kernel's number to its first product
CACHE_LATENCY = 100.0  # the same where nothing is staged
CHECK_INSTRUCTIONS = 3.0  # of an input that is read where it is: its place, and whether it exists
RUN_LATENCY = 20.0  # of the jump from a loop to the next
WINDOW_LATENCY = 120.0  # two meetings of the threads, and the stores between
BLOCK_LATENCY = 1500.0  # start of a block, its first loads and its last stores
LAUNCH_MICROS = 1.5  # of each kernel behind another
LOAD_INSTRUCTIONS = 2.0  # a load and a store
WINDOW_INSTRUCTIONS = 50.0  # around them
INTERFERENCE = 0.15  # what does not bound a kernel still costs some of its time
LARGEST_OF_ISSUERS = 1.4
LINE_VALUES = 32  # float32 values in 128 bytes
BANKS = 32  # accesses of a multiprocessor to shared memory in a cycle
MOST_WEIGHTS = 72  # of a kernel that wait in registers: of more, those that come next
PAIR_REGISTERS = 3  # of each row of pairs of inputs
SECTOR = 32  # bytes that are loaded together
PADDING = 1.15  # of lists: each is as long as the longest


@dataclass(frozen=True, kw_only=True)
class GpuLists:
    """How many kernels a layer has of each pattern, over all groups of ``group`` filters."""

    patterns: tuple[Pattern, ...]
    counts: tuple[int, ...]
    groups: int
    group: int


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What the model finds for one schedule.

    Attributes:
        micros: of the layer.
        share: of the peak rate, by the products that are stored.
        bound: what takes the longest.
    """

    micros: float
    share: float
    bound: str


def registers(lists: GpuLists, window: Window, schedule: GpuSchedule, gpu: GpuModel) -> int:
    """Returns about how many registers a thread needs."""
    sums = schedule.groups * lists.group * schedule.rows * schedule.columns
    taps = max((len(p) for p in lists.patterns), default=1)
    weights = min(taps * lists.group, MOST_WEIGHTS)
    pairs = PAIR_REGISTERS * (schedule.columns - 1) * schedule.rows
    return sums + weights + _load_registers(window, schedule) + pairs + gpu.base_registers


def _load_registers(window: Window, schedule: GpuSchedule) -> int:
    """Returns what loads of inputs have under way, and where they come from and go to."""
    if not schedule.staged:
        return 2 * sum(lane_tile(window, schedule))
    plan = _plan(window, schedule)
    return plan.registers + 2 * plan.slots


def shared_bytes(geometry: GpuGeometry, lists: GpuLists, schedule: GpuSchedule) -> int:
    """Returns about how many bytes of shared memory a block needs."""
    if not schedule.staged:
        return 0
    tile = _tile(geometry.window, schedule)
    return int(4 * schedule.window * tile.channel + _list_bytes(geometry, lists, schedule))


def estimate(
    geometry: GpuGeometry, lists: GpuLists, schedule: GpuSchedule, gpu: GpuModel
) -> Estimate:
    """Returns what a layer takes."""
    blocks = _blocks(geometry, lists, schedule)
    resident = _resident(geometry, lists, schedule, gpu)
    turns = -(-blocks // gpu.multiprocessors)
    bounds, latency = _block(geometry, lists, schedule, gpu)
    waiting = 1 + _imbalance(geometry, lists, schedule, gpu) / min(turns, resident)
    cycles = {name: waiting * turns * each for name, each in bounds.items()}
    cycles["latency"] = -(-turns // resident) * latency
    cycles["memory"] = _memory_bytes(geometry, gpu) / gpu.memory_bytes
    cycles["level-2 cache"] = blocks * _block_bytes(geometry, lists, schedule) / gpu.l2_bytes
    bound = max(cycles, key=lambda name: cycles[name])
    rest = sum(cycles.values()) - cycles[bound]
    micros = (
        cycles[bound] + INTERFERENCE * rest + BLOCK_LATENCY
    ) / gpu.gigahertz / 1000 + LAUNCH_MICROS
    if schedule.splits > 1:
        micros += _sum_micros(geometry, schedule, gpu)
    return Estimate(
        micros=micros, share=_products(geometry, lists) / gpu.peak / micros, bound=bound
    )


def busy_warps(geometry: GpuGeometry, lists: GpuLists, schedule: GpuSchedule, gpu: GpuModel) -> int:
    """Returns how many warps the busiest multiprocessor has at a time."""
    return schedule.warps * busy_blocks(geometry, lists, schedule, gpu)


def busy_blocks(
    geometry: GpuGeometry, lists: GpuLists, schedule: GpuSchedule, gpu: GpuModel
) -> int:
    """Returns how many blocks the busiest multiprocessor has at a time."""
    turns = -(-_blocks(geometry, lists, schedule) // gpu.multiprocessors)
    return min(turns, _resident(geometry, lists, schedule, gpu))


def _blocks(geometry: GpuGeometry, lists: GpuLists, schedule: GpuSchedule) -> int:
    down, across = schedule.tiles(geometry.out_size)
    per_image = -(-lists.groups // schedule.block_groups) * schedule.splits
    return geometry.batch * down * across * per_image


def _products(geometry: GpuGeometry, lists: GpuLists) -> float:
    kept = sum(n * len(p) for n, p in zip(lists.counts, lists.patterns, strict=True))
    return geometry.batch * geometry.out_size[0] * geometry.out_size[1] * kept * lists.group


def _resident(geometry: GpuGeometry, lists: GpuLists, schedule: GpuSchedule, gpu: GpuModel) -> int:
    """Returns how many blocks a multiprocessor has at a time."""
    of_thread = -(-registers(lists, geometry.window, schedule, gpu) // 8) * 8
    return max(
        1,
        min(
            gpu.registers // (of_thread * schedule.threads),
            gpu.threads // schedule.threads,
            gpu.shared_bytes // (shared_bytes(geometry, lists, schedule) + 1024),
        ),
    )


def _block(
    geometry: GpuGeometry, lists: GpuLists, schedule: GpuSchedule, gpu: GpuModel
) -> tuple[dict[str, float], float]:
    """Returns the cycles that a block keeps each unit busy, and those of a warp alone."""
    windows = -(-_channels(geometry, lists) // schedule.window) / schedule.splits
    total = _totals(lists, geometry.window, schedule.rows, schedule.columns)
    if not schedule.staged:
        return _unstaged_block(lists, schedule, total, windows, gpu)
    share = schedule.groups / lists.groups / schedule.splits  # of the layer's lists, in a warp
    runs = windows * schedule.groups * len(lists.patterns)
    issues = share * total.instructions + runs * RUN_INSTRUCTIONS + windows * WINDOW_INSTRUCTIONS
    latency = share * (total.instructions + total.kernels * SHARED_LATENCY) + runs * RUN_LATENCY
    plan = _plan(geometry.window, schedule)
    arrays = _list_bytes(geometry, lists, schedule) / 16 / schedule.threads
    loads = windows * (plan.registers + arrays)
    exposed = max(0.0, gpu.latency - latency / max(windows, 1e-9))
    alone = latency + loads * LOAD_INSTRUCTIONS + windows * (WINDOW_LATENCY + exposed)
    accesses = share * total.accesses + loads * (1 + _lines(geometry, schedule))
    bounds = {
        "products": schedule.warps * share * total.products * gpu.lanes / gpu.products,
        "instructions": schedule.warps * (issues + loads * LOAD_INSTRUCTIONS) / gpu.issues,
        "shared memory": schedule.warps * accesses * gpu.lanes / BANKS,
    }
    return bounds, alone


def _unstaged_block(
    lists: GpuLists, schedule: GpuSchedule, total: _Totals, windows: float, gpu: GpuModel
) -> tuple[dict[str, float], float]:
    """Returns the same of a block that reads through the cache, whose threads never meet."""
    share = schedule.groups / lists.groups / schedule.splits
    runs = windows * schedule.groups * len(lists.patterns)
    begun = total.instructions + CHECK_INSTRUCTIONS * total.reads
    issues = share * begun + runs * RUN_INSTRUCTIONS
    alone = share * (begun + total.kernels * CACHE_LATENCY) + runs * RUN_LATENCY
    bounds = {
        "products": schedule.warps * share * total.products * gpu.lanes / gpu.products,
        "instructions": schedule.warps * issues / gpu.issues,
        "cache": schedule.warps * share * total.accesses * gpu.lanes / BANKS,
    }
    return bounds, alone


def _imbalance(
    geometry: GpuGeometry, lists: GpuLists, schedule: GpuSchedule, gpu: GpuModel
) -> float:
    """Returns how much longer the busiest issuer takes for a window than they do on average.

    All warps of a block wait for it: what is left of a random pruning differs from warp to
    warp. The expected largest of four numbers is 1.03 standard deviations above their mean.
    """
    kept = sum(lists.counts) / (lists.groups * _channels(geometry, lists))
    mean = schedule.window * kept * schedule.groups * schedule.warps / gpu.issues
    return LARGEST_OF_ISSUERS * math.sqrt(max(0.0, 1 - kept) / max(mean, 1e-9))


def _lines(geometry: GpuGeometry, schedule: GpuSchedule) -> float:
    """Returns how many lines of the cache a warp's load of a tile touches."""
    return 1 + LINE_VALUES / _tile(geometry.window, schedule).size[1]


def _channels(geometry: GpuGeometry, lists: GpuLists) -> int:
    """Returns how many channels a block visits: of a grouped convolution those of its filters."""
    kernels = sum(lists.counts) / lists.groups
    full = len(lists.patterns) == 1
    return max(1, min(geometry.in_channels, round(kernels))) if full else geometry.in_channels


@dataclass(frozen=True)
class _Totals:
    """Over all lists of a layer, for the tile of one lane; ``reads`` are values of inputs."""

    kernels: int
    products: float
    instructions: float
    accesses: float
    reads: float


@lru_cache(maxsize=4096)
def _totals(lists: GpuLists, window: Window, rows: int, columns: int) -> _Totals:
    schedule = GpuSchedule(lanes_x=1, rows=rows, columns=columns, warps=1, window=1)
    products = instructions = accesses = values = 0.0
    for pattern, count in zip(lists.patterns, lists.counts, strict=True):
        reads = len(lane_reads(pattern, window, schedule))
        weights = len(pattern) * lists.group
        loads = weights / (4 if weights % 4 == 0 else 1) + 1
        of_kernel = weights * rows * columns
        products += count * of_kernel
        instructions += count * (of_kernel + reads + loads + KERNEL_INSTRUCTIONS)
        accesses += count * (reads * columns + loads)
        values += count * reads * columns
    return _Totals(sum(lists.counts), products, instructions, accesses, values)


def _tile(window: Window, schedule: GpuSchedule) -> SharedTile:
    s = schedule
    return _tile_of(window, s.lanes, s.lanes_x, s.rows, s.columns)


@lru_cache(maxsize=65536)
def _tile_of(window: Window, lanes: int, lanes_x: int, rows: int, columns: int) -> SharedTile:
    shape = GpuSchedule(lanes=lanes, lanes_x=lanes_x, rows=rows, columns=columns, warps=1, window=1)
    return SharedTile.of(window, shape)


def _plan(window: Window, schedule: GpuSchedule) -> LoadPlan:
    s = schedule
    return _plan_of(window, s.lanes, s.lanes_x, s.rows, s.columns, s.warps, s.window)


@lru_cache(maxsize=65536)
def _plan_of(
    window: Window, lanes: int, lanes_x: int, rows: int, columns: int, warps: int, channels: int
) -> LoadPlan:
    schedule = GpuSchedule(
        lanes=lanes, lanes_x=lanes_x, rows=rows, columns=columns, warps=warps, window=channels
    )
    return LoadPlan.of(_tile(window, schedule), schedule)


def _list_bytes(geometry: GpuGeometry, lists: GpuLists, schedule: GpuSchedule) -> float:
    """Returns the bytes of lists and weights that a block needs for a window."""
    of_window = schedule.window / _channels(geometry, lists)
    share = schedule.block_groups / lists.groups * min(1.0, of_window)
    return 4 * (PADDING * share * _stored(lists) + 3 * schedule.block_groups)


@lru_cache(maxsize=4096)
def _stored(lists: GpuLists) -> int:
    kernels = zip(lists.counts, lists.patterns, strict=True)
    return sum(n * (len(p) * lists.group + 1) for n, p in kernels)


def _block_bytes(geometry: GpuGeometry, lists: GpuLists, schedule: GpuSchedule) -> float:
    """Returns the bytes that a block moves from and to the second-level cache."""
    tile, channels = _tile(geometry.window, schedule), _channels(geometry, lists)
    whole_rows = tile.size[1] >= geometry.in_size[1]
    row = 4 * min(tile.size[1], geometry.in_size[1]) + (0 if whole_rows else SECTOR)
    of_channel = min(tile.size[0], geometry.in_size[0]) * row
    windows = -(-channels // schedule.window)
    read = channels * of_channel + windows * _list_bytes(geometry, lists, schedule)
    outputs = schedule.tile[0] * schedule.tile[1] * schedule.block_groups * lists.group
    return read / schedule.splits + 4 * outputs


def _memory_bytes(geometry: GpuGeometry, gpu: GpuModel) -> float:
    """Returns the bytes that do not come from, or stay in, the second-level cache."""
    sizes = math.prod(geometry.in_shape), math.prod(geometry.out_shape)
    total = 4 * sum(sizes)
    return total if total > gpu.l2_size else 0


def _sum_micros(geometry: GpuGeometry, schedule: GpuSchedule, gpu: GpuModel) -> float:
    values = geometry.batch * geometry.out_channels * geometry.out_size[0] * geometry.out_size[1]
    cycles = 4 * values * (schedule.splits + 1) / gpu.l2_bytes + BLOCK_LATENCY
    return cycles / gpu.gigahertz / 1000 + LAUNCH_MICROS
