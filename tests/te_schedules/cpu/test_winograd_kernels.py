import numpy as np
import pytest

from te_schedules.cpu.winograd_kernels import pack_winograd
from te_schedules.cpu.winograd_phases import phase_weight
from te_schedules.cpu.winograd_schedule import WinogradSchedule
from te_schedules.cpu.winograd_transform import WinogradTransform
from tests.te_schedules.cpu.lane_kernels import random_array


@pytest.mark.parametrize(("filters", "group"), [(6, 3), (7, 3), (4, 4)])
def test_each_filter_is_stored_with_its_group(filters, group):
    weight = random_array(filters, 5, 3, 3)
    schedule = WinogradSchedule(rows=4, vectors=2, group=group, together=1, units=1)
    kernels = pack_winograd(weight, schedule)
    groups = -(-filters // group)
    assert kernels.weight.shape == (6 * 4, groups, 5, group)
    assert (kernels.filters, kernels.groups, kernels.channels) == (filters, groups, 5)
    y, x = WinogradTransform(4, 3).of_taps, WinogradTransform(2, 3).of_taps
    for g in range(groups):
        first = min(g * group, filters - group)
        for f, channel in np.ndindex(group, 5):
            expected = (y @ weight[first + f, channel] @ x.T).reshape(-1)
            np.testing.assert_allclose(kernels.weight[:, g, channel, f], expected, rtol=1e-6)


def test_phases_of_a_window_are_channels():
    weight = random_array(4, 5, 7, 7)
    schedule = WinogradSchedule(rows=4, vectors=3, group=2, together=1, units=1)
    kernels = pack_winograd(weight, schedule, (2, 2))
    expected = pack_winograd(phase_weight(weight, (2, 2)), schedule)
    assert kernels.channels == 4 * 5
    assert np.array_equal(kernels.weight, expected.weight)


def test_nothing_but_weights_is_stored():
    schedule = WinogradSchedule(rows=1, vectors=1, group=2, together=1, units=1)
    kernels = pack_winograd(random_array(4, 3, 1, 1), schedule)
    assert (kernels.total_bytes, kernels.structure_bytes) == (4 * 12, 0)
