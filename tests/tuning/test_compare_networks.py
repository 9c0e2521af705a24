import numpy as np
import pytest

from tvm_patdnn.errors import TuningError
from tvm_patdnn.tuning.compare_networks import check_same

Y = np.array([1.0, -4.0], np.float32)


def test_rounding_is_no_difference():
    check_same({"y": Y, "n": np.array([1])}, {"y": Y + 1e-3, "n": np.array([2])})


@pytest.mark.parametrize("other", [Y + 0.1, np.array([np.nan, -4.0], np.float32)])
def test_other_values_are(other):
    with pytest.raises(TuningError, match="y: the tuned network differs by .*; do not use the log"):
        check_same({"y": Y}, {"y": other})
