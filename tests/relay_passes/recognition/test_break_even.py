import math

import pytest

from relay_passes.recognition.break_even import break_even
from tests.relay_passes.recognition.test_report_row import layer


@pytest.mark.parametrize(
    ("share", "group", "faster", "said"),
    [
        (0.25, 1, True, ": 4.0x faster than dense as measured"),
        (0.25, 4, True, ", in blocks of 4 filters: 4.0x faster than dense as measured"),
        (1.0, 4, False, ": below break-even, 1.0x dense's time as measured"),
        (0.0, 1, True, ": faster than dense as measured"),
        (math.inf, 1, False, ": below break-even as measured"),
        (1.26, 1, False, ": below break-even, 1.3x dense's time as measured"),
    ],
)
def test_the_faster_one_and_why(share, group, faster, said):
    found = "2 patterns, 50% of the kernels gone, 7.2x"
    assert break_even(layer(), share, "as measured", group) == (faster, found + said)
