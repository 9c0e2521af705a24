import numpy as np
import pytest

from tvm_patdnn.training.accuracy.intervals import (
    QUANTILES,
    difference_text,
    interval,
    spread_text,
)


@pytest.mark.parametrize("freedom", range(1, 31))
def test_quantiles_hold_95_percent_of_students_t(freedom):
    """Against the integral of its density, whose tails are folded in by x = tan(angle)."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, 400_001)[1:-1]
    x = np.tan(angle)
    density = (1 + x**2 / freedom) ** (-(freedom + 1) / 2) * (1 + x**2)
    inside = np.abs(x) <= QUANTILES[freedom - 1]
    assert density[inside].sum() / density.sum() == pytest.approx(0.95, abs=2e-4)


def test_the_interval_of_three_differences():
    """Mean -0.2, standard deviation 0.1: 4.303 * 0.1 / sqrt(3) = 0.248 to each side."""
    low, high = interval([-0.1, -0.2, -0.3])
    assert (low, high) == (pytest.approx(-0.4484, abs=1e-4), pytest.approx(0.0484, abs=1e-4))
    assert difference_text([-0.1, -0.2, -0.3]) == "-0.20 [-0.45, +0.05]"


def test_intervals_hold_the_truth_in_95_of_100_cases():
    random = np.random.default_rng(0)
    for count in (2, 3, 5, 40):
        samples = random.normal(1.0, 2.0, (4000, count)).tolist()
        bounds = [interval(values) for values in samples]
        share = np.mean([low <= 1.0 <= high for low, high in bounds])
        assert share == pytest.approx(0.95, abs=0.015)


def test_few_values():
    assert difference_text([]) == ""
    assert difference_text([-0.224]) == "-0.22"
    assert difference_text([0.1, 0.1]) == "+0.10 [+0.10, +0.10]"
    assert spread_text([77.29]) == "77.29"
    assert spread_text([77.0, 78.0]) == "77.50 ± 0.71"
