import numpy as np

from te_schedules.gpu.kernel_table import KERNELS


def test_a_block_that_visits_few_windows_is_told_which():
    assert list(KERNELS["pattern conv2d"]().kernel.constants) == ["reorder", "lists", "weight"]
    assert list(KERNELS["depthwise conv2d"]().kernel.constants)[3:] == ["first", "cuts"]


def test_the_sums_of_splits_are_apart():
    kernel = KERNELS["pattern conv2d, channels split"]().kernel
    assert kernel.parts_shape == (3, *kernel.geometry.out_shape)
    assert kernel.splits == 3


def test_places_in_lists_are_channels_where_nothing_is_staged():
    staged, unstaged = (
        KERNELS[name]().kernel for name in ("pattern conv2d", "pattern conv2d, unstaged")
    )
    for kernel, step in ((staged, staged.tile.channel), (unstaged, 1)):
        lists = kernel.shares.lists
        header = 2 * kernel.schedule.block_groups
        numbers = lists[..., header:][lists[..., header:] < np.iinfo(np.int32).max]
        assert set((numbers % (1 << 16)).tolist()) <= {
            n * step for n in range(kernel.schedule.window)
        }
