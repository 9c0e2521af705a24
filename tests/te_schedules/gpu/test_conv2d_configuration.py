import pytest
from hypothesis import given
from hypothesis import strategies as st

from te_schedules.gpu.conv2d_configuration import GpuConv2dConfiguration
from te_schedules.gpu.conv2d_schedule import GpuSchedule

COUNTS = st.integers(1, 99)
NAMES = ("lanes", "lanes_x", "rows", "columns", "warps", "groups", "window", "splits", "resident")
SCHEDULES = st.builds(GpuSchedule, staged=st.booleans(), **dict.fromkeys(NAMES, COUNTS))


@given(st.booleans(), COUNTS, SCHEDULES)
def test_json_gives_it_back(sparse, group, schedule):
    configuration = GpuConv2dConfiguration(sparse=sparse, group=group, schedule=schedule)
    assert GpuConv2dConfiguration.from_json(configuration.to_json()) == configuration


def test_a_text_for_people():
    schedule = GpuSchedule(lanes_x=14, rows=7, warps=8, window=32)
    assert str(GpuConv2dConfiguration(sparse=False, group=4, schedule=schedule)) == (
        "dense, group 4, 14 of 32 lanes abreast x 7 rows, 8 warps x 1, window 32, 1 resident"
    )
    split = GpuSchedule(
        lanes_x=8, rows=2, columns=2, warps=4, groups=2, window=8, splits=4, staged=False
    )
    assert str(GpuConv2dConfiguration(sparse=True, group=1, schedule=split)) == (
        "sparse, group 1, 8 of 32 lanes abreast x 2 rows x 2 columns, 4 warps x 2, window 8 "
        "unstaged, channels in 4 parts, 1 resident"
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sparse": 1}, "sparse is 1, expected a bool"),
        ({"staged": 1}, "staged is 1, expected a bool"),
        ({"rows": 0}, "rows is 0, expected a whole number from 1 to 65536"),
        ({"group": 2.0}, r"group is 2\.0, expected a whole number"),
    ],
)
def test_what_is_no_configuration(change, said):
    schedule = GpuSchedule(lanes_x=8, rows=2, warps=4, window=8)
    values = GpuConv2dConfiguration(sparse=True, group=1, schedule=schedule).to_json()
    with pytest.raises(ValueError, match=said):
        GpuConv2dConfiguration.from_json({**values, **change})
