import numpy as np
import pytest

from te_schedules.cpu.int8.winograd_transform import IntegerTransform
from te_schedules.cpu.int8.winograd_weights import transform_weight
from tests.te_schedules.cpu.int8.instruction_samples import pruned_weight


@pytest.mark.parametrize("depth", [1, 2])
def test_every_group_is_full_and_channels_lie_in_pairs(depth):
    weight, y, x = pruned_weight(8, 5, 3, 3), IntegerTransform(4), IntegerTransform(2)
    made = transform_weight(weight, y, x, group=3, depth=depth)
    assert made.shape == (24, 3, -(-5 // depth), 3, depth)
    expected = np.einsum("py,fcyx,qx->pqfc", y.of_taps, weight.astype(int), x.of_taps)
    expected = expected.reshape(24, 8, 5)
    found = made.transpose(0, 1, 3, 2, 4).reshape(24, 9, -1)
    np.testing.assert_array_equal(found[..., :5], expected[:, [0, 1, 2, 3, 4, 5, 5, 6, 7]])
    assert not found[..., 5:].any()
