from dataclasses import replace

import numpy as np
import pytest

from te_schedules.cpu.conv2d_cost import (
    KernelLists,
    channel_bytes,
    cycles,
    registers,
)
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule, Outer
from te_schedules.cpu.conv2d_space import (
    L1S_OF_A_BAND,
    choose_schedule,
    copies_may_pay,
    finished,
    schedules,
)
from te_schedules.cpu.even_chunks import IDLE_SHARE
from te_schedules.cpu.tiling import Tiling
from tests.te_schedules.cpu.lane_kernels import ConvCase, full_pattern
from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.sparse.patterns import Pattern

AVX512 = CpuModel(lanes=16, registers=32, l1_bytes=32 << 10, l2_bytes=1 << 20, num_cores=4)
AVX2 = replace(AVX512, lanes=8, registers=16)
NEON = replace(AVX512, lanes=4)
CPUS = {"avx512": AVX512, "avx2": AVX2, "neon": NEON}
SETS = {
    "patterns": (Pattern.from_picture("##./##./..."), Pattern.from_picture(".##/.##/...")),
    "dense": (full_pattern(3, 3),),
    "dense 7x7": (full_pattern(7, 7),),
    "1x1": (full_pattern(1, 1),),
    "none": (),
}


def geometry_of(cpu: CpuModel, size: tuple[int, int], kernel: int = 3, batch: int = 1):
    weight = np.zeros((64, 64, kernel, kernel), np.float32)
    pad = kernel // 2
    return ConvCase(
        weight=weight, size=size, batch=batch, padding=(pad,) * 4, lanes=cpu.lanes
    ).geometry()


def lists_of(patterns, group: int) -> KernelLists:
    return KernelLists(
        patterns=patterns, counts=(64 * 64 // group,) * len(patterns), groups=-(-64 // group)
    )


def test_bands_fill_the_cache_and_are_of_equal_length():
    geometry = geometry_of(AVX512, (28, 28), 1)
    banded = [s for s in schedules(geometry, SETS["1x1"], 1, AVX512) if s.band]
    assert {32} < {s.band for s in banded}  # where 48 of 64 channels would fit, too
    for schedule in banded:
        vectors = schedule.rows * schedule.vectors
        assert schedule.band * vectors * 64 <= AVX512.l1_room
        assert -(-64 // schedule.band) * schedule.band - 64 < 16


@pytest.mark.parametrize("patterns", ["patterns", "dense"])
def test_inputs_that_overflow_the_second_cache_are_taken_in_bands(patterns):
    cpu = replace(AVX512, l2_bytes=128 << 10)
    geometry, lists = geometry_of(cpu, (56, 56)), lists_of(SETS[patterns], 1)
    chosen, _ = choose_schedule(geometry, lists, 1, cpu)
    assert chosen.band
    assert chosen.band * channel_bytes(geometry, lists.patterns, chosen, cpu) <= cpu.l2_room
    for unhurried in (AVX512, replace(AVX512, l2_bytes=1 << 30)):
        assert choose_schedule(geometry, lists, 1, unhurried)[0].band is None


def test_a_tile_stays_in_the_first_cache_unless_planes_are_wanted_whole():
    cpu = replace(AVX512, l1_bytes=1 << 20)
    geometry, lists = geometry_of(cpu, (14, 14)), lists_of(SETS["patterns"], 1)
    assert choose_schedule(geometry, lists, 1, cpu)[0].outer is Outer.TILE
    assert choose_schedule(geometry, lists, 1, cpu, planes=True)[0].outer is Outer.PLANE


@pytest.mark.parametrize(
    ("rows", "l2_bytes", "outer"),
    [(2, 1 << 20, Outer.TILE), (1, 1 << 20, Outer.ROW), (2, 160 << 10, Outer.ROW)],
    ids=["tall", "of one row", "output overflows L2"],
)
def test_tiles_that_are_stored_in_short_stretches_are_left_for_rows(rows, l2_bytes, outer):
    cpu = replace(AVX512, l1_bytes=1 << 20, l2_bytes=l2_bytes)
    geometry = geometry_of(cpu, (28, 28), 1)
    lists = KernelLists(patterns=SETS["1x1"], counts=(300,), groups=16)
    schedule = Conv2dSchedule(rows=rows, vectors=2, group=4)
    assert finished(schedule, geometry, lists, cpu).outer is outer


def test_planes_that_are_wanted_whole_have_no_bands():
    cpu = replace(AVX512, l2_bytes=128 << 10)
    geometry, lists = geometry_of(cpu, (56, 56)), lists_of(SETS["patterns"], 1)
    assert choose_schedule(geometry, lists, 1, cpu, planes=True)[0].band is None


@pytest.mark.parametrize("cpu", CPUS.values(), ids=CPUS)
@pytest.mark.parametrize("patterns", SETS.values(), ids=SETS)
@pytest.mark.parametrize("size", [(1, 1), (7, 7), (56, 56)])
def test_every_schedule_fits_the_plane_and_the_registers(cpu, patterns, size):
    geometry = geometry_of(cpu, size, patterns[0].kernel_shape[0] if patterns else 3)
    for group in (1, 4):
        found = list(schedules(geometry, patterns, group, cpu))
        assert found
        assert len(set(found)) == len(found)
        for schedule in found:
            assert 1 <= schedule.rows <= geometry.out_layout.vectors_y
            assert 1 <= schedule.vectors <= geometry.out_layout.vectors_x
            assert (schedule.group, schedule.chunks) == (group, 1)
            # The smallest tile is always there: what it holds is used once, from memory.
            if schedule.rows * schedule.vectors > 1:
                assert registers(schedule, patterns, geometry) <= cpu.registers


@pytest.mark.parametrize("cpu", CPUS.values(), ids=CPUS)
@pytest.mark.parametrize("patterns", SETS.values(), ids=SETS)
def test_the_chosen_schedule_is_the_cheapest_of_the_space(cpu, patterns):
    geometry = geometry_of(cpu, (14, 28))
    lists = lists_of(patterns, 1)
    chosen, cost = choose_schedule(geometry, lists, 1, cpu)
    space = list(schedules(geometry, patterns, 1, cpu))
    chosen = replace(chosen, outer=Outer.TILE, chunks=1)  # these are chosen afterwards
    assert cost == min(cycles(geometry, lists, schedule, cpu) for schedule in space)
    if chosen.copy_inputs:
        assert copies_may_pay(geometry, lists, cpu)
        assert chosen in set(schedules(geometry, patterns, 1, cpu, copied=True))
        return
    assert chosen in space
    assert cost == cycles(geometry, lists, chosen, cpu)


def test_copied_inputs_are_scored_where_vectors_are_part_of_a_line_and_lists_are_not_full():
    geometry = geometry_of(AVX2, (28, 28))
    sparse = KernelLists(patterns=SETS["patterns"], counts=(600, 600), groups=64)
    full = KernelLists(patterns=SETS["dense"], counts=(64 * 64,), groups=64)
    assert copies_may_pay(geometry, sparse, AVX2)
    assert copies_may_pay(geometry, sparse, NEON)
    assert not copies_may_pay(geometry, full, AVX2)
    assert not copies_may_pay(geometry_of(AVX512, (28, 28)), sparse, AVX512)


def test_copied_inputs_are_no_more_than_a_few_times_the_first_cache():
    cpu = replace(AVX2, l1_bytes=8 << 10)
    geometry = geometry_of(cpu, (28, 28))
    space = schedules(geometry, SETS["patterns"], 1, cpu, copied=True)
    copied = [s for s in space if s.copy_inputs]
    assert copied
    for schedule in copied:
        held = channel_bytes(geometry, SETS["patterns"], schedule, cpu) * (schedule.band or 64)
        assert held <= L1S_OF_A_BAND * cpu.l1_room or schedule.band is None
    assert {s.band for s in copied} > {None}


def test_blocks_of_filters_copy_inputs_of_one_tap_only():
    cpu = replace(AVX2, l1_bytes=8 << 10)
    for taps, kernel in (("1x1", 1), ("patterns", 3)):
        lists = KernelLists(patterns=SETS[taps], counts=(300,) * len(SETS[taps]), groups=16)
        chosen, _ = choose_schedule(geometry_of(cpu, (28, 28), kernel), lists, 4, cpu)
        assert chosen.group == 4
        assert chosen.copy_inputs == (kernel == 1)


@pytest.mark.parametrize(("filters", "outer"), [(64, Outer.PLANE), (4, Outer.ROW)])
def test_a_depthwise_plane_is_computed_whole_where_there_are_enough_of_them(filters, outer):
    geometry = geometry_of(AVX2, (56, 56))
    lists = KernelLists(patterns=SETS["dense"], counts=(filters,), groups=filters)
    assert choose_schedule(geometry, lists, 1, AVX2)[0].outer is outer


def test_planes_that_are_wanted_whole_are_not_copied():
    geometry = geometry_of(AVX2, (28, 28))
    sparse = KernelLists(patterns=SETS["patterns"], counts=(600, 600), groups=64)
    assert not choose_schedule(geometry, sparse, 1, AVX2, planes=True)[0].copy_inputs


def test_registers_bound_the_tile():
    patterns = SETS["patterns"]
    geometry = geometry_of(AVX512, (56, 56))
    sizes = [s.rows * s.vectors for s in schedules(geometry, patterns, 1, AVX512)]
    few = [
        s.rows * s.vectors for s in schedules(geometry, patterns, 1, replace(AVX512, registers=16))
    ]
    assert max(sizes) == 16 > max(few) == 11


@pytest.mark.parametrize("cores", [1, 2, 3, 8])
@pytest.mark.parametrize("size", [(2, 2), (7, 7), (28, 28), (112, 112)])
def test_chunks_keep_the_cores_busy(cores, size):
    cpu = replace(AVX512, num_cores=cores)
    geometry, lists = geometry_of(cpu, size), lists_of(SETS["patterns"], 1)
    schedule, _ = choose_schedule(geometry, lists, 1, cpu)
    blocks = blocks_of(geometry, schedule)
    for chunks in range(1, schedule.chunks + 1):
        tasks = blocks * chunks
        waited = -(-tasks // cores) * cores
        # It has just as many chunks as it takes.
        assert (waited <= tasks * (1 + IDLE_SHARE)) == (chunks == schedule.chunks)


def blocks_of(geometry, schedule: Conv2dSchedule) -> int:
    """What is shared out to threads, if the filters are not cut."""
    rows = Tiling(geometry.out_layout.vectors_y, schedule.rows).count
    columns = Tiling(geometry.out_layout.vectors_x, schedule.vectors).count
    blocks = {Outer.TILE: rows * columns, Outer.ROW: rows, Outer.PLANE: 1}
    return geometry.batch * blocks[schedule.outer]


@pytest.mark.parametrize(
    ("l2_bytes", "outer"), [(1, Outer.TILE), (1 << 20, Outer.ROW), (1 << 22, Outer.PLANE)]
)
def test_as_much_is_computed_at_a_time_as_the_cache_holds_the_input_of(l2_bytes, outer):
    cpu = replace(AVX512, l2_bytes=l2_bytes)  # the input takes 1 MB, a row of tiles 320 kB
    schedule, _ = choose_schedule(geometry_of(cpu, (56, 56)), lists_of(SETS["patterns"], 1), 1, cpu)
    assert schedule.outer is outer


def test_no_more_chunks_than_lists():
    cpu = replace(AVX512, num_cores=64)
    lists = KernelLists(patterns=SETS["dense"], counts=(128,), groups=2)
    schedule, _ = choose_schedule(geometry_of(cpu, (2, 2)), lists, 1, cpu)
    assert schedule.chunks == 2
