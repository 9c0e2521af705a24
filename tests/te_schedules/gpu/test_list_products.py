from te_schedules.gpu.conv2d_schedule import GpuSchedule
from te_schedules.gpu.list_products import lane_reads
from te_schedules.window import Window
from tvm_patdnn.sparse.patterns import Pattern

SQUARE = Pattern.from_picture("##./##./...")


def test_an_input_is_loaded_once_for_all_that_use_it():
    schedule = GpuSchedule(lanes_x=8, rows=3, warps=1, window=1)
    reads = lane_reads(SQUARE, Window((3, 3)), schedule)
    assert list(reads) == [(y, x) for y in range(4) for x in range(2)]
    assert reads[1, 0] == {0: [(0, 1, 0), (2, 0, 0)]}
    assert sum(len(uses) for read in reads.values() for uses in read.values()) == 12


def test_pairs_of_columns_are_loaded_together():
    schedule = GpuSchedule(lanes_x=8, rows=1, columns=2, warps=1, window=1)
    reads = lane_reads(SQUARE, Window((3, 3)), schedule)
    assert list(reads) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert reads[0, 0] == {0: [(0, 0, 0)], 1: [(0, 0, 1), (1, 0, 0)]}
    assert reads[0, 1] == {0: [(1, 0, 1)]}


def test_stride_and_dilation_move_the_reads():
    schedule = GpuSchedule(lanes_x=8, rows=2, warps=1, window=1)
    reads = lane_reads(SQUARE, Window((3, 3), (2, 2), (3, 3)), schedule)
    assert list(reads) == [(0, 0), (0, 3), (2, 0), (2, 3), (3, 0), (3, 3), (5, 0), (5, 3)]
