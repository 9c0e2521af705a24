import numpy as np
import pytest
import torch

from te_schedules.cpu.int8 import int8_samples
from te_schedules.cpu.int8.int8_samples import CHANNELS, FILTERS, INPUTS, OUTPUTS, SCALE, ZERO
from te_schedules.cpu.kernel_sample import SIZE


@pytest.mark.parametrize("name", ["sample_int8_conv2d", "sample_int8_winograd"])
def test_what_is_expected_is_what_torch_computes(name):
    sample = getattr(int8_samples, name)(8)
    pixels = SIZE[0] * SIZE[1]
    data = sample.arguments[0][:, :, :pixels].reshape(1, CHANNELS, *SIZE)
    rng = np.random.default_rng(0)
    rng.integers(0, 256, data.shape)
    kept = rng.random((FILTERS, CHANNELS, 3, 3)) < 0.5
    weight = rng.integers(-127, 128, kept.shape) * kept
    bias = torch.from_numpy(rng.integers(-999, 999, FILTERS)).double()
    values = torch.nn.functional.conv2d(
        torch.from_numpy(data.astype(float) - ZERO), torch.from_numpy(weight).double(), padding=1
    )
    values = values + (bias + ZERO * torch.from_numpy(weight).sum(dim=(1, 2, 3)))[:, None, None]
    expected = torch.clamp(torch.round(values * SCALE) + ZERO, 0, 255).numpy()
    found = sample.expected[:, :, :pixels].reshape(expected.shape)
    assert np.array_equal(found, expected)
    assert 0.3 < np.mean((expected > 0) & (expected < 255)) < 1


def test_a_matrix_product_is_what_integers_give():
    sample = int8_samples.sample_int8_fully_connected(8)
    rng = np.random.default_rng(0)
    data = rng.integers(0, 256, (2, INPUTS))
    weight = rng.integers(-127, 128, (OUTPUTS, INPUTS))
    sums = data @ weight.T + rng.integers(-999, 999, OUTPUTS)
    expected = np.clip(np.rint(sums * SCALE) + ZERO, 0, 255)
    assert np.array_equal(sample.expected[:, 0, :OUTPUTS], expected)
    assert np.array_equal(sample.arguments[0][:, 0, :INPUTS], data)
