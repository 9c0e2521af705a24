import pytest

from te_schedules.window import Window


@pytest.mark.parametrize(
    ("window", "reach"),
    [
        (Window((3, 3), padding=(1, 1)), (1, 1)),
        (Window((3, 3), stride=(2, 2), padding=(1, 1)), (0, 0)),
        (Window((3, 3)), (2, 2)),
        (Window((1, 5), dilation=(1, 3), padding=(0, 6)), (0, 6)),
        (Window((1, 1), stride=(2, 2)), (0, 0)),
        (Window((2, 3), padding=(4, 0)), (0, 2)),
    ],
)
def test_how_far_a_window_reaches(window, reach):
    assert window.reach == reach
