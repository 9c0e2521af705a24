import numpy as np
import pytest
import torch

from te_schedules.cpu.winograd_phases import Phase, most_taps, phase_weight, phases
from tests.te_schedules.cpu.lane_kernels import random_array


def test_a_window_that_moves_by_one_is_its_only_phase():
    assert phases((3, 5), (1, 1)) == [Phase(first=(0, 0), taps=(3, 5))]
    weight = random_array(4, 3, 3, 5)
    assert np.array_equal(phase_weight(weight, (1, 1)), weight)


def test_phases_share_out_the_taps():
    found = phases((7, 7), (2, 2))
    assert [phase.taps for phase in found] == [(4, 4), (4, 3), (3, 4), (3, 3)]
    assert [phase.first for phase in found] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert most_taps((7, 7), (2, 2)) == (4, 4)


def test_there_are_no_phases_without_taps():
    assert [phase.first for phase in phases((1, 2), (3, 3))] == [(0, 0), (0, 1)]


@pytest.mark.parametrize(
    ("taps", "stride"), [((7, 7), (2, 2)), ((5, 4), (3, 2)), ((3, 2), (1, 2)), ((2, 2), (3, 3))]
)
def test_a_window_is_the_sum_of_its_phases(taps, stride):
    """Each over its share of the rows and columns, as torch sees them."""
    data, weight = random_array(2, 3, 30, 36), random_array(4, 3, *taps)
    expected = torch.nn.functional.conv2d(
        torch.from_numpy(data), torch.from_numpy(weight), stride=stride
    ).numpy()
    shares = [
        data[:, :, phase.first[0] :: stride[0], phase.first[1] :: stride[1]]
        for phase in phases(taps, stride)
    ]
    rows, columns = (
        n + t - 1 for n, t in zip(expected.shape[2:], most_taps(taps, stride), strict=True)
    )
    padded = [np.pad(s, ((0, 0), (0, 0), (0, 9), (0, 9)))[:, :, :rows, :columns] for s in shares]
    got = torch.nn.functional.conv2d(
        torch.from_numpy(np.concatenate(padded, axis=1)),
        torch.from_numpy(phase_weight(weight, stride)),
    ).numpy()
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)
