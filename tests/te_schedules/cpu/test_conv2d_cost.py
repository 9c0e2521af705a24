from dataclasses import replace

import pytest

from te_schedules.cpu import conv2d_cost
from te_schedules.cpu.conv2d_cost import KernelLists, cycles, ranking_cpu, registers
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule, Hold, Outer
from te_schedules.cpu.lane_layout import LaneLayout
from te_schedules.cpu.lane_split import Split
from te_schedules.window import Window
from tests.te_schedules.cpu.lane_kernels import ConvCase, full_pattern, pattern_weight
from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.sparse.patterns import Pattern

CPU = CpuModel(lanes=16, registers=32, l1_bytes=32 << 10, l2_bytes=1 << 20, num_cores=4)
PATTERN = Pattern.from_picture("##./##./...")
LISTS = KernelLists(patterns=(PATTERN,), counts=(100,), groups=10)
TILE = Conv2dSchedule(rows=2, vectors=2)
GEOMETRY = ConvCase(weight=pattern_weight(10, 20), size=(32, 64), lanes=16).geometry()

AVX2 = replace(CPU, lanes=8, registers=16)
HALVES = ConvCase(weight=pattern_weight(10, 20), size=(32, 64), lanes=8).geometry()  # of lines


def test_more_work_costs_more():
    base = cycles(GEOMETRY, LISTS, TILE, CPU)
    assert base > 0
    assert cycles(GEOMETRY, replace(LISTS, counts=(200,)), TILE, CPU) > base
    more_taps = replace(LISTS, patterns=(full_pattern(3, 3),))
    assert cycles(GEOMETRY, more_taps, TILE, CPU) > base
    assert cycles(replace(GEOMETRY, batch=2), LISTS, TILE, CPU) == 2 * base


def test_a_layer_without_kernels_still_stores_its_output():
    empty = KernelLists(patterns=(), counts=(), groups=10)
    assert 0 < cycles(GEOMETRY, empty, TILE, CPU) < cycles(GEOMETRY, LISTS, TILE, CPU)


def test_a_tile_that_shares_loads_costs_less():
    lone = Conv2dSchedule(rows=1, vectors=1)
    assert cycles(GEOMETRY, LISTS, TILE, CPU) < cycles(GEOMETRY, LISTS, lone, CPU)


def test_the_same_kernels_in_more_lists_cost_more():
    """Short lists end in mispredictions."""
    one = KernelLists(patterns=(PATTERN,), counts=(800,), groups=100)
    eight = KernelLists(patterns=(PATTERN,) * 8, counts=(100,) * 8, groups=100)
    assert cycles(GEOMETRY, one, TILE, CPU) < cycles(GEOMETRY, eight, TILE, CPU)


def test_inputs_that_overflow_the_first_cache_cost_more():
    small = replace(CPU, l1_bytes=1 << 10)
    assert cycles(GEOMETRY, LISTS, TILE, CPU) < cycles(GEOMETRY, LISTS, TILE, small)


def test_units_of_half_a_vector_take_twice_as_long_for_products():
    """What does not go through them, such as the ends of lists, takes as long as ever."""
    whole = cycles(GEOMETRY, LISTS, TILE, CPU)
    assert whole < cycles(GEOMETRY, LISTS, TILE, replace(CPU, passes=2)) < 2 * whole


@pytest.mark.parametrize("better", [{"l1_parts": True}, {"streams": True}])
def test_caches_that_keep_a_part_or_stream_cost_less_beyond_l1(better):
    small = replace(CPU, l1_bytes=8 << 10)
    by_better = cycles(GEOMETRY, LISTS, TILE, replace(small, **better))
    assert by_better < cycles(GEOMETRY, LISTS, TILE, small)
    assert cycles(GEOMETRY, LISTS, TILE, replace(CPU, **better)) == (
        cycles(GEOMETRY, LISTS, TILE, CPU)
    )


def test_by_which_numbers_ways_are_ranked():
    zen4 = replace(CPU, passes=2, l1_parts=True, streams=True)
    xeon = replace(CPU, l1_parts=True)
    one = ConvCase(weight=pattern_weight(10, 20)[:, :, :1, :1], size=(32, 64), lanes=16).geometry()
    assert ranking_cpu(GEOMETRY, zen4) == zen4
    assert ranking_cpu(one, zen4) == CPU
    assert ranking_cpu(GEOMETRY, xeon) == CPU
    assert ranking_cpu(GEOMETRY, AVX2) == AVX2


def test_whole_planes_are_read_again_from_beyond_the_first_cache():
    """Between two groups of filters all tiles of all channels pass, not those of one tile."""
    planes = replace(TILE, outer=Outer.PLANE)
    large = replace(CPU, l1_bytes=1 << 20)
    assert cycles(GEOMETRY, LISTS, planes, CPU) > cycles(GEOMETRY, LISTS, TILE, CPU)
    assert cycles(GEOMETRY, LISTS, planes, large) == cycles(GEOMETRY, LISTS, TILE, large)


def test_copies_cost_time_and_pay_where_inputs_overflow_the_first_cache():
    copied = replace(TILE, copy_inputs=True)
    many = replace(LISTS, counts=(4000,))
    large, small = replace(AVX2, l1_bytes=1 << 20), replace(AVX2, l1_bytes=4 << 10)
    for cpu, pays in ((large, False), (small, True)):
        beside = cycles(HALVES, many, TILE, cpu, beside_copies=True)
        assert (cycles(HALVES, many, copied, cpu) < beside) == pays


def test_long_rows_of_planes_cost_time_where_a_window_has_several_of_them():
    """The same vectors in rows of twice the length; but for one row, full lists, room in L1."""
    few = replace(LISTS, counts=(100,))
    tall, wide = (
        replace(
            HALVES,
            in_layout=LaneLayout(
                Split(
                    height=rows * 8,
                    width=columns,
                    lanes_y=8,
                    lanes_x=1,
                    vectors_y=rows,
                    vectors_x=columns,
                )
            ),
        )
        for rows, columns in ((16, 16), (8, 32))
    )
    small, large = replace(AVX2, l1_bytes=4 << 10), replace(AVX2, l1_bytes=1 << 20)

    def times(lists, cpu, **changes):
        costs = [
            cycles(replace(each, **changes), lists, TILE, cpu, beside_copies=True)
            for each in (tall, wide)
        ]
        return costs[1] / costs[0]

    assert times(few, small) == pytest.approx(2**0.1)
    assert times(few, large) == 1
    assert times(replace(LISTS, counts=(10 * 20,)), small) == 1
    assert times(few, small, window=Window((1, 1))) == 1


def test_each_chunk_of_the_filters_copies_and_fetches_bands_for_itself():
    copied = replace(TILE, copy_inputs=True)
    banded, small = replace(TILE, band=16), replace(AVX2, l1_bytes=1 << 10)
    for schedule in (copied, banded):
        one, two, three = (
            cycles(HALVES, LISTS, replace(schedule, chunks=n), small, beside_copies=True)
            for n in (1, 2, 3)
        )
        assert two > one
        assert three - two == pytest.approx(two - one)
    alone = {cycles(HALVES, LISTS, replace(TILE, chunks=n), AVX2) for n in (1, 2, 3)}
    assert len(alone) == 1


def test_rows_of_a_tile_that_end_within_lines_cost_time_when_they_are_stored():
    tall, wide = Conv2dSchedule(rows=4, vectors=1), Conv2dSchedule(rows=1, vectors=4)
    none = KernelLists(patterns=(), counts=(), groups=10)
    tall_s, wide_s = (cycles(HALVES, none, s, AVX2, beside_copies=True) for s in (tall, wide))
    assert tall_s > wide_s
    whole = {cycles(GEOMETRY, none, s, CPU, beside_copies=True) for s in (tall, wide)}
    assert len(whole) == 1


def test_vectors_that_are_part_of_a_line_come_slower_from_the_second_cache(monkeypatch):
    small = replace(AVX2, l1_bytes=1 << 10)

    def scored() -> list[float]:
        return [
            cycles(HALVES, LISTS, TILE, small, beside_copies=beside) for beside in (True, False)
        ]

    slower, whole = scored()
    monkeypatch.setattr(conv2d_cost, "L2_LINES_OF_PARTS", conv2d_cost.L2_LINES_PER_CYCLE)
    as_fast, also = scored()
    assert slower > as_fast
    assert whole == also


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (Conv2dSchedule(rows=2, vectors=3), 6 + 4 + 1),
        (Conv2dSchedule(rows=2, vectors=3, group=2), 12 + 8 + 1),
        (Conv2dSchedule(rows=1, vectors=3, group=2, hold=Hold.INPUTS), 6 + 4 + 1),
        (Conv2dSchedule(rows=2, vectors=3, hold=Hold.INPUTS), 6 + 12 + 1),  # three rows at once
    ],
)
def test_registers_of_sums_weights_and_inputs(schedule, expected):
    assert registers(schedule, [PATTERN], GEOMETRY) == expected


def test_stride_and_dilation_need_other_input_registers():
    schedule = Conv2dSchedule(rows=1, vectors=3, hold=Hold.INPUTS)
    strided = replace(GEOMETRY, window=replace(GEOMETRY.window, stride=(2, 2)))
    dilated = replace(GEOMETRY, window=replace(GEOMETRY.window, dilation=(2, 2)))
    wide = Pattern.from_picture("###/###/...")
    assert registers(schedule, [PATTERN], strided) == 3 + 3 + 1  # of each tap its own
    assert registers(schedule, [wide], strided) == 3 + 4 + 1  # even columns, then odd ones
    assert registers(schedule, [PATTERN], dilated) == 3 + 5 + 1
    assert registers(schedule, [wide], dilated) == 3 + 7 + 1


def test_registers_of_a_layer_without_kernels():
    for hold in Hold:
        assert registers(Conv2dSchedule(rows=1, vectors=1, hold=hold), [], GEOMETRY) == 3
