import numpy as np
import pytest
import torch

from te_schedules.cpu.int8 import plane_samples
from te_schedules.cpu.int8.plane_samples import SHAPE, STORED, TERM
from te_schedules.cpu.kernel_sample import SIZE

PIXELS = SIZE[0] * SIZE[1]


def numbers() -> torch.Tensor:
    """What the bytes of the samples stand for."""
    data = plane_samples.sample_max_planes(8).arguments[0][:, :, :PIXELS].reshape(SHAPE)
    return torch.from_numpy((data.astype(np.float64) - TERM.zero) * TERM.scale)


@pytest.mark.parametrize(
    ("sample", "compute"),
    [
        (
            plane_samples.sample_average_planes,
            lambda x: torch.nn.functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False),
        ),
        (plane_samples.sample_sum_planes, lambda x: x + x),
    ],
)
def test_what_is_expected_is_what_torch_computes(sample, compute):
    steps = torch.round(compute(numbers())) + STORED.zero
    expected = torch.clamp(steps, STORED.low, STORED.high).numpy()
    found = sample(8).expected[:, :, :PIXELS].reshape(SHAPE)
    np.testing.assert_array_equal(found, expected)
    assert np.unique(expected).size > 25


@pytest.mark.parametrize("name", plane_samples.__all__)
def test_samples_are_not_trivial(name):
    assert np.unique(getattr(plane_samples, name)(8).expected).size >= 3
