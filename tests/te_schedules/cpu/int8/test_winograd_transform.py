import numpy as np
import pytest

from te_schedules.cpu.int8.winograd_transform import (
    OUTPUTS,
    TAPS,
    IntegerTransform,
    results_factors,
    results_shift,
)


@pytest.mark.parametrize("outputs", OUTPUTS)
def test_results_are_known_multiples_of_the_sums_of_a_window(outputs):
    transform, rng = IntegerTransform(outputs), np.random.default_rng(0)
    inputs = rng.integers(-255, 256, transform.products)
    taps = rng.integers(-128, 128, TAPS)
    products = (transform.of_taps @ taps) * (transform.of_inputs @ inputs)
    expected = np.correlate(inputs, taps, "valid") * transform.multiples
    np.testing.assert_array_equal(transform.of_sums @ products, expected)


def test_two_axes_fit_in_16_bits():
    for outputs in OUTPUTS:
        transform = IntegerTransform(outputs)
        for matrix, most in ((transform.of_inputs, 255), (transform.of_taps, 128)):
            assert np.abs(matrix).sum(axis=1).max() ** 2 * most < 2**15


@pytest.mark.parametrize(("sizes", "shift"), [((4, 4), 6), ((2, 4), 4), ((4, 2), 4), ((2, 2), 2)])
def test_factors_make_results_times_a_power_of_2(sizes, shift):
    y, x = map(IntegerTransform, sizes)
    assert results_shift(y, x) == shift
    multiples = np.multiply.outer(y.multiples, x.multiples)
    made = multiples * results_factors(y, x).astype(np.int64) % 2**32
    assert (made == 2**shift).all()
