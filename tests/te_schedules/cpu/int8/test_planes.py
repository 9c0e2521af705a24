import pytest
from hypothesis import given
from hypothesis import strategies as st

from te_schedules.cpu.int8.planes import SLACK, plane_bytes, stored_shape


@given(st.integers(1, 10**6))
def test_planes_are_an_odd_number_of_lines_apart_and_have_slack(pixels):
    lines, rest = divmod(plane_bytes(pixels), 64)
    assert (rest, lines % 2) == (0, 1)
    assert pixels + SLACK <= plane_bytes(pixels) < pixels + SLACK + 128


@pytest.mark.parametrize(
    ("shape", "stored"),
    [
        ((2, 3, 8, 7), (2, 3, 64)),
        ((2, 3, 8, 8), (2, 3, 192)),
        ((2, 70, 1, 1), (2, 1, 192)),
        ((2, 70), (2, 1, 192)),
        ((2, 1, 1, 70), (2, 1, 192)),
    ],
)
def test_stored_shape(shape, stored):
    assert stored_shape(shape) == stored
