import itertools
from dataclasses import replace

import pytest

from te_schedules.gpu.conv2d_binding import GpuConv2d
from te_schedules.gpu.conv2d_cost import (
    GpuLists,
    busy_blocks,
    busy_warps,
    estimate,
    registers,
    shared_bytes,
)
from te_schedules.gpu.conv2d_geometry import GpuGeometry
from te_schedules.gpu.conv2d_schedule import GpuSchedule
from te_schedules.gpu.kernel_table import KERNELS, PICTURES
from te_schedules.window import Window
from tvm_patdnn.machine.gpu_model import GpuModel
from tvm_patdnn.machine.targets import resolve_target
from tvm_patdnn.sparse.patterns import Pattern

WINDOW = Window((3, 3), padding=(1, 1))
SCHEDULE = GpuSchedule(lanes_x=8, rows=7, warps=8, window=8)


def gpu(arch: str = "sm_80") -> GpuModel:
    return GpuModel.from_target(resolve_target(f"cuda -arch={arch}"))


def geometry(channels: int = 256, size: int = 56, batch: int = 1) -> GpuGeometry:
    shape = (batch, channels, size, size)
    return GpuGeometry.of(WINDOW, shape, shape)


def lists(kernels: int, channels: int = 256, group: int = 4) -> GpuLists:
    patterns = tuple(Pattern.from_picture(picture) for picture in PICTURES)
    count = kernels // len(patterns)
    return GpuLists(patterns=patterns, counts=(count,) * 3, groups=channels // group, group=group)


def test_fewer_kernels_take_less_time():
    few, many = (estimate(geometry(), lists(n), SCHEDULE, gpu()).micros for n in (3000, 9000))
    assert few < many


def test_no_schedule_is_faster_than_the_peak():
    for batch in (1, 8):
        assert estimate(geometry(batch=batch), lists(9000), SCHEDULE, gpu()).share < 1


def test_free_kernels_are_bound_by_shared_memory_and_blocks_are_not():
    big = geometry(batch=32)
    free = estimate(big, lists(18000, group=1), replace(SCHEDULE, groups=4), gpu("sm_90"))
    assert free.bound == "shared memory"
    assert estimate(big, lists(9000, group=4), SCHEDULE, gpu()).bound == "products"


def test_splitting_channels_pays_for_few_blocks_only():
    split = replace(SCHEDULE, splits=4)
    for size, batch, pays in [(14, 1, True), (56, 32, False)]:
        whole, parts = (
            estimate(geometry(256, size, batch), lists(9000), each, gpu()).micros
            for each in (SCHEDULE, split)
        )
        assert (parts < whole) == pays


@pytest.mark.parametrize("name", KERNELS)
def test_shared_memory_is_about_what_the_kernel_declares(name):
    kernel: GpuConv2d = KERNELS[name]().kernel
    if not kernel.shares.same_cuts:
        return  # whose channels the model guesses
    declared = (
        4
        * kernel.schedule.staged
        * (
            kernel.schedule.window * kernel.tile.channel
            + kernel.shares.weight.shape[2]
            + kernel.shares.lists.shape[2]
        )
    )
    counts = kernel.fkw.kernel_counts
    modelled = GpuLists(
        patterns=kernel.fkw.patterns,
        counts=counts,
        groups=kernel.fkw.groups,
        group=kernel.fkw.group,
    )
    found = shared_bytes(kernel.geometry, modelled, kernel.schedule)
    assert found == pytest.approx(declared, rel=0.3)


def test_registers_grow_with_the_sums():
    small = registers(lists(9000), WINDOW, SCHEDULE, gpu())
    assert registers(lists(9000), WINDOW, replace(SCHEDULE, groups=2), gpu()) == small + 28


def test_all_weights_of_a_dense_kernel_of_eight_filters_wait_in_registers():
    """nvcc takes 200 where it may; told to fit three blocks, which leave 168, it spilled."""
    full = (Pattern(kernel_shape=(3, 3), taps=tuple(itertools.product(range(3), range(3)))),)
    dense = GpuLists(patterns=full, counts=(32 * 256,), groups=32, group=8)
    schedule = GpuSchedule(lanes_x=8, rows=7, warps=4, window=8, splits=8)
    assert registers(dense, WINDOW, schedule, gpu()) == 200
    assert busy_blocks(geometry(), dense, schedule, gpu()) == 2


def test_warps_are_busy_as_far_as_there_are_blocks_and_room():
    few = replace(SCHEDULE, lanes_x=8, rows=7)
    assert busy_warps(geometry(256, 28), lists(9000), few, gpu()) == 8
    assert busy_warps(geometry(256, 112, 8), lists(9000), few, gpu()) in (16, 24)


def test_what_is_not_staged_needs_no_shared_memory_and_more_instructions():
    unstaged = replace(SCHEDULE, staged=False, window=256)
    assert shared_bytes(geometry(), lists(9000), unstaged) == 0
    found = estimate(geometry(), lists(9000), unstaged, gpu())
    assert found.bound in ("instructions", "cache", "latency", "products", "level-2 cache")
    fewer = estimate(geometry(), lists(3000), unstaged, gpu())
    assert fewer.micros < found.micros
    more = replace(unstaged, rows=8)
    few, many = (registers(lists(9000), WINDOW, each, gpu()) for each in (unstaged, more))
    assert few < many
