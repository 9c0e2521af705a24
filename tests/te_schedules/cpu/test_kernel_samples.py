import numpy as np
import pytest
import torch

from te_schedules.cpu import kernel_samples
from te_schedules.cpu.kernel_sample import SIZE, sample_layout
from te_schedules.cpu.lane_layout import LaneLayout
from te_schedules.cpu.lane_split import splits
from te_schedules.cpu.sample_weights import pruned_matrix

LAYOUT, COLUMNS = sample_layout(8), LaneLayout(splits(*SIZE, 8)[0])


def planes(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(LAYOUT.unpack(array))


def matrix_product(data: np.ndarray, matrix: np.ndarray) -> torch.Tensor:
    bias = torch.linspace(-1, 1, matrix.shape[1])
    return torch.relu(torch.from_numpy(data) @ torch.from_numpy(matrix) + bias)


def full_matrix() -> np.ndarray:
    """What the sample draws after its data."""
    rng = np.random.default_rng(0)
    rng.standard_normal((2, 9), "f4")
    return rng.standard_normal((9, 37), "f4")


EXPECTED = {
    "sample_max_pool2d": lambda data: torch.nn.functional.max_pool2d(planes(data), 3, 1, 1),
    "sample_average_pool2d": lambda data: torch.nn.functional.avg_pool2d(
        planes(data), 3, 1, 1, count_include_pad=False
    ),
    "sample_global_average_pool": lambda data: planes(data).mean(dim=(2, 3)),
    "sample_elementwise": lambda one, other, residual: torch.clamp(
        torch.cat([planes(one), planes(other)], dim=1) + planes(residual), 0, 6
    ),
    "sample_relayout": lambda held: torch.from_numpy(COLUMNS.unpack(held)),
    "sample_fully_connected": lambda data, *_: matrix_product(data, full_matrix()),
    "sample_sparse_fully_connected": lambda data, *_: matrix_product(data, pruned_matrix(9, 37)),
}


def test_every_sample_is_checked():
    assert set(EXPECTED) == set(kernel_samples.__all__)


@pytest.mark.parametrize("name", EXPECTED)
def test_what_is_expected_is_what_torch_computes(name):
    sample = getattr(kernel_samples, name)(8)
    expected = EXPECTED[name](*sample.arguments).numpy()
    got = sample.expected
    if got.ndim == 3:  # in lanes
        got = LAYOUT.unpack(got)
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_sample_is_the_same_every_time(name):
    one, other = (getattr(kernel_samples, name)(4) for _ in range(2))
    for a, b in zip(one.arguments, other.arguments, strict=True):
        assert np.array_equal(a, b)
