import numpy as np
import pytest
import torch

from te_schedules.cpu.kernel_sample import (
    SIZE,
    padded_windows,
    sample_geometry,
    sample_layout,
    sample_planes,
)


@pytest.mark.parametrize("lanes", [4, 8, 16])
def test_no_vector_divides_the_planes(lanes):
    layout = sample_layout(lanes)
    assert not layout.split.is_exact
    assert layout.lanes == lanes
    planes = sample_planes(3)
    assert planes.shape == (1, 3, *SIZE)
    assert np.array_equal(layout.unpack(layout.pack(planes)), planes)


@pytest.mark.parametrize("size", [1, 3])
def test_windows_are_those_of_a_convolution_with_padding(size):
    planes = sample_planes(2)
    sums = padded_windows(planes, size).sum(axis=(4, 5))
    ones = torch.ones(2, 1, size, size)
    expected = torch.nn.functional.conv2d(
        torch.from_numpy(planes), ones, padding=size // 2, groups=2
    )
    np.testing.assert_allclose(sums, expected.numpy(), rtol=1e-5, atol=1e-5)


def test_the_halo_holds_what_a_window_reads():
    geometry = sample_geometry(3, 5, 8, 3)
    assert (geometry.in_channels, geometry.out_channels, geometry.padding) == (3, 5, (1, 1))
    halo = geometry.in_layout.halo
    assert min(halo.top, halo.left, halo.bottom, halo.right) == 1
