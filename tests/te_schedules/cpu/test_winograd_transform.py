import numpy as np
import pytest

from te_schedules.cpu.winograd_transform import WinogradTransform, has_points

WINDOWS = [(2, 3), (4, 3), (2, 5), (3, 2), (1, 3), (4, 1), (1, 1), (3, 4), (4, 4), (3, 5)]


@pytest.mark.parametrize(("outputs", "taps"), WINDOWS)
def test_products_of_transforms_are_the_sums_of_a_window(outputs, taps):
    rng = np.random.default_rng(0)
    transform = WinogradTransform(outputs, taps)
    inputs, weights = rng.standard_normal(transform.products), rng.standard_normal(taps)
    products = (transform.of_taps @ weights) * (transform.of_inputs @ inputs)
    expected = np.correlate(inputs, weights, "valid")
    np.testing.assert_allclose(transform.of_outputs @ products, expected, rtol=1e-12, atol=1e-12)


def test_the_smallest_is_the_one_of_the_paper():
    """Lavin and Gray (arXiv 1509.09308), section 4.1, but for the signs of two products."""
    transform = WinogradTransform(2, 3)
    assert np.array_equal(
        transform.of_inputs, [[-1, 0, 1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, -1, 0, 1]]
    )
    assert np.array_equal(transform.of_outputs, [[1, 1, 1, 0], [0, 1, -1, 1]])
    assert np.array_equal(
        transform.of_taps, [[-1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]]
    )


@pytest.mark.parametrize(("outputs", "taps"), [(1, 3), (4, 1), (1, 1)])
def test_one_output_or_one_tap_changes_no_inputs(outputs, taps):
    transform = WinogradTransform(outputs, taps)
    assert transform.is_plain
    assert np.array_equal(transform.of_inputs, np.eye(transform.products))


def test_more_products_than_there_are_points_for_are_declined():
    assert not has_points(6, 3)
    assert has_points(4, 3)
    with pytest.raises(
        ValueError, match="6 outputs of 3 taps are 8 products: expected 2, 3, 4, 6, 7,"
    ):
        WinogradTransform(6, 3)
