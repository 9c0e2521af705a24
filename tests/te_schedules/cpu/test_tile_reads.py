from collections import Counter

import numpy as np

from te_schedules.cpu.tile_reads import input_batches, tile_reads
from tests.te_schedules.cpu.lane_kernels import full_pattern
from tvm_patdnn.sparse.patterns import Pattern


def test_an_input_vector_is_read_once_for_all_its_taps():
    reads = tile_reads(full_pattern(3, 3), np.ndindex(2, 3), stride=(1, 1), dilation=(1, 1))
    assert list(reads) == [(y, x) for y in range(4) for x in range(5)]
    uses = Counter(len(served) for served in reads.values())
    assert sum(n * count for n, count in uses.items()) == 9 * 2 * 3
    assert (4, (0, 1)) in reads[1, 2]  # the centre tap of output (0, 1)


def test_strided_taps_of_a_pattern_share_fewer_inputs():
    pattern = Pattern.from_picture("##./##./...")
    strided = tile_reads(pattern, np.ndindex(1, 2), stride=(2, 2), dilation=(1, 1))
    assert len(strided) == 8
    dilated = tile_reads(pattern, np.ndindex(1, 2), stride=(1, 1), dilation=(1, 2))
    assert sorted(dilated) == [(y, x) for y in (0, 1) for x in (0, 1, 2, 3)]


def test_what_a_part_of_a_tile_reads_is_in_what_the_tile_reads():
    pattern = Pattern.from_picture("##./.#./..#")
    whole = tile_reads(pattern, np.ndindex(2, 3), stride=(1, 1), dilation=(1, 1))
    part = tile_reads(pattern, [(0, 2), (1, 2)], stride=(1, 1), dilation=(1, 1))
    for vector, uses in part.items():
        assert uses == [(tap, place) for tap, place in whole[vector] if place[1] == 2]


def batches(picture: str, rows: int, dilation=(1, 1)) -> list[list[tuple[int, int]]]:
    """The input vectors of each batch of a tile of two columns."""
    return batches_of(
        tile_reads(Pattern.from_picture(picture), np.ndindex(rows, 2), (1, 1), dilation)
    )


def batches_of(reads) -> list[list[tuple[int, int]]]:
    """The input vectors of each batch; no two batches share a tap, and nothing is left out."""
    found = input_batches(reads)
    assert sorted(read for batch in found for read in batch) == list(reads.items())
    taps = [{tap for _, uses in batch for tap, _ in uses} for batch in found]
    assert sum(map(len, taps)) == len(set().union(*taps))
    return [[at for at, _ in batch] for batch in found]


def test_inputs_are_held_by_rows_where_no_tap_uses_two_of_them():
    assert batches("##./.#./...", 1) == [[(0, 0), (0, 1), (0, 2)], [(1, 1), (1, 2)]]


def test_inputs_are_held_together_where_a_tap_uses_several_rows():
    assert batches("##./.#./...", 2) == [
        [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 1), (2, 2)]
    ]


def test_inputs_of_taps_that_share_none_are_apart():
    assert batches("#.#/..#/...", 1) == [[(0, 0), (0, 1)], [(0, 2), (0, 3)], [(1, 2), (1, 3)]]
    assert batches("#../#../...", 2, dilation=(3, 1)) == [
        [(0, 0), (0, 1), (1, 0), (1, 1)],
        [(3, 0), (3, 1), (4, 0), (4, 1)],
    ]


def test_odd_and_even_columns_are_apart_at_a_stride_of_two():
    reads = tile_reads(full_pattern(3, 7), np.ndindex(1, 2), stride=(2, 2), dilation=(1, 1))
    even, odd = [0, 2, 4, 6, 8], [1, 3, 5, 7]
    assert batches_of(reads) == [[(y, x) for x in row] for y in range(3) for row in (even, odd)]


def test_a_tile_that_reads_nothing_holds_nothing():
    assert input_batches({}) == []
