import numpy as np
import pytest
import torch

from te_schedules.cpu import conv2d_samples
from te_schedules.cpu.kernel_sample import SIZE, sample_layout
from te_schedules.cpu.sample_weights import (
    connectivity_weight,
    dense_weight,
    depthwise_weight,
    pattern_weight,
)

WEIGHTS = {
    "sample_pattern_conv2d": (pattern_weight(6, 5), 1),
    "sample_generic_sparse_conv2d": (pattern_weight(6, 5), 1),
    "sample_connectivity_conv2d": (connectivity_weight(6, 7), 1),
    "sample_dense_conv2d": (dense_weight(6, 3, 3), 1),
    "sample_winograd_conv2d": (dense_weight(7, 3, 3), 1),
    "sample_packed_conv2d": (dense_weight(7, 12, 1), 1),
    "sample_depthwise_conv2d": (dense_weight(4, 4, 3)[range(4), range(4)][:, None], 4),
}
# A last group that is not full repeats a filter; transformed weights are more.
MORE_IS_STORED = ("sample_dense_conv2d", "sample_winograd_conv2d", "sample_packed_conv2d")


def relu_conv(planes: torch.Tensor, weight: np.ndarray, groups: int = 1) -> torch.Tensor:
    bias = torch.linspace(-1, 1, len(weight))
    pad = weight.shape[2] // 2
    return torch.relu(
        torch.nn.functional.conv2d(
            planes, torch.from_numpy(weight), bias, padding=pad, groups=groups
        )
    )


def check(sample, expected: torch.Tensor) -> None:
    layout = sample_layout(8)
    np.testing.assert_allclose(
        layout.unpack(sample.expected), expected.numpy(), rtol=1e-4, atol=1e-5
    )


def planes_of(sample) -> torch.Tensor:
    planes = sample_layout(8).unpack(sample.arguments[0])
    assert planes.shape[2:] == SIZE
    return torch.from_numpy(planes)


def test_every_sample_is_checked():
    assert {*WEIGHTS, "sample_conv2d_depthwise"} == set(conv2d_samples.__all__)


@pytest.mark.parametrize("name", WEIGHTS)
def test_what_is_expected_is_what_torch_computes(name):
    sample, (weight, groups) = getattr(conv2d_samples, name)(8), WEIGHTS[name]
    check(sample, relu_conv(planes_of(sample), weight, groups))


def test_the_pair_is_one_convolution_after_the_other():
    sample = conv2d_samples.sample_conv2d_depthwise(8)
    between = relu_conv(planes_of(sample), dense_weight(5, 3, 1))
    check(sample, relu_conv(between, depthwise_weight(5), 5))


def test_what_was_pruned_is_not_among_the_arguments():
    for name, (weight, _) in WEIGHTS.items():
        sample = getattr(conv2d_samples, name)(8)
        stored = [each for each in sample.arguments[1:] if np.count_nonzero(weight) == each.size]
        assert stored or name in MORE_IS_STORED
