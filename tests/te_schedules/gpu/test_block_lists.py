import numpy as np
import pytest

from te_schedules.gpu.block_lists import HEADER, PATTERN_STEP, BlockLists
from te_schedules.gpu.conv2d_schedule import GpuSchedule
from te_schedules.gpu.kernel_table import pruned_weight
from tvm_patdnn.sparse.fkw import FKW, pack_fkw
from tvm_patdnn.sparse.patterns import find_patterns

CHANNEL = 10  # from one to the next in shared memory


def packed(weight: np.ndarray, schedule: GpuSchedule, block: int) -> FKW:
    found = find_patterns(weight)
    return pack_fkw(weight, found.ids, found.patterns, block, schedule.window)


def unpacked(fkw: FKW, schedule: GpuSchedule, shares: BlockLists) -> np.ndarray:
    """Walks the lists as the kernel does."""
    weight = np.zeros((fkw.filters, fkw.channels, 3, 3), np.float32)
    for group in range(fkw.groups):
        block, position = divmod(group, schedule.block_groups)
        for w in range(shares.lists.shape[1]):
            numbers, weights = shares.lists[block, w], shares.weight[block, w]
            at, of = numbers[HEADER * position], numbers[HEADER * position + 1] * shares.unit
            for p, pattern in enumerate(fkw.patterns):
                while numbers[at] < (p + 1) * PATTERN_STEP:
                    place = numbers[at] - p * PATTERN_STEP
                    assert place % CHANNEL == 0
                    channel = (w + shares.first[block]) * schedule.window + place // CHANNEL
                    for y, x in pattern.taps:
                        for f in range(fkw.group):
                            filter_ = fkw.reorder[group * fkw.group + f]
                            weight[filter_, channel, y, x] = weights[of]
                            of += 1
                    at += 1
    return weight


@pytest.mark.parametrize(("filters", "channels", "block"), [(7, 10, 1), (9, 8, 4), (3, 3, 1)])
@pytest.mark.parametrize("kept", [1.0, 0.4, 0.0])
def test_the_lists_have_the_whole_weight(filters, channels, block, kept):
    schedule = GpuSchedule(lanes_x=8, rows=1, warps=2, window=4)
    weight = pruned_weight(filters, channels, block, kept)
    fkw = packed(weight, schedule, block)
    shares = BlockLists.of(fkw, schedule, CHANNEL)
    np.testing.assert_array_equal(unpacked(fkw, schedule, shares), weight)


def test_weights_are_loaded_by_fours_where_that_divides():
    schedule = GpuSchedule(lanes_x=8, rows=1, warps=1, window=4)
    for block, size, unit in [(4, 3, 4), (1, 3, 4), (1, 1, 1), (4, 1, 4), (2, 1, 1)]:
        fkw = packed(pruned_weight(8, 8, block, size=size), schedule, block)
        assert BlockLists.of(fkw, schedule, CHANNEL).unit == unit


def test_splits_share_the_windows():
    schedule = GpuSchedule(lanes_x=8, rows=1, warps=2, window=2, splits=3)
    shares = BlockLists.of(packed(pruned_weight(4, 16), schedule, 1), schedule, CHANNEL)
    assert shares.cuts[0].tolist() == [0, 2, 5, 8]
    assert shares.same_cuts


def test_blocks_of_a_depthwise_convolution_visit_their_own_windows():
    schedule = GpuSchedule(lanes_x=8, rows=1, warps=2, window=2)
    weight = pruned_weight(8, 1, kept=1.0)
    ids = np.where(np.eye(8, dtype=bool), find_patterns(weight).ids, -1)
    fkw = pack_fkw(weight, ids, find_patterns(weight).patterns, 1, 2)
    shares = BlockLists.of(fkw, schedule, CHANNEL)
    assert shares.first.tolist() == [0, 1, 2, 3]
    assert shares.lists.shape[:2] == (4, 1)
    assert not shares.same_cuts
