import pytest
from hypothesis import given
from hypothesis import strategies as st

from te_schedules.cpu.conv2d_configuration import Conv2dConfiguration
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule, Hold, Outer
from te_schedules.cpu.winograd_schedule import WinogradSchedule

COUNTS = st.integers(1, 99)
SCHEDULES = st.builds(
    Conv2dSchedule,
    rows=COUNTS,
    vectors=COUNTS,
    group=COUNTS,
    hold=st.sampled_from(Hold),
    outer=st.just(Outer.TILE),
    band=st.none() | COUNTS,
    chunks=COUNTS,
    copy_inputs=st.booleans(),
)


TRANSFORMS = st.builds(
    WinogradSchedule,
    rows=COUNTS,
    vectors=COUNTS,
    group=COUNTS,
    together=COUNTS,
    units=COUNTS,
    chunks=COUNTS,
)


@given(st.booleans(), SCHEDULES | TRANSFORMS)
def test_json_gives_it_back(sparse, schedule):
    configuration = Conv2dConfiguration(sparse=sparse, schedule=schedule)
    assert Conv2dConfiguration.from_json(configuration.to_json()) == configuration


def test_a_text_for_people():
    schedule = Conv2dSchedule(rows=2, vectors=4, band=32, chunks=3)
    assert str(Conv2dConfiguration(sparse=True, schedule=schedule)) == (
        "sparse, tile 2x4, group 1, hold weights, outer tile, band 32, chunks 3"
    )
    copied = Conv2dSchedule(rows=2, vectors=4, copy_inputs=True)
    assert str(Conv2dConfiguration(sparse=True, schedule=copied)) == (
        "sparse, tile 2x4, group 1, hold weights, outer tile, chunks 1, inputs copied"
    )
    plane = Conv2dSchedule(rows=1, vectors=4, group=2, outer=Outer.PLANE)
    assert str(Conv2dConfiguration(sparse=False, schedule=plane)) == (
        "dense, tile 1x4, group 2, hold weights, outer plane, chunks 1"
    )
    transforms = WinogradSchedule(rows=4, vectors=2, group=6, together=2, units=3)
    assert str(Conv2dConfiguration(sparse=False, schedule=transforms)) == (
        "dense, winograd 4x2, group 6, together 2, units 3, chunks 1"
    )


def test_records_from_before_inputs_could_be_copied():
    schedule = Conv2dSchedule(rows=2, vectors=4)
    values = Conv2dConfiguration(sparse=True, schedule=schedule).to_json()
    del values["copy_inputs"]
    assert Conv2dConfiguration.from_json(values).schedule == schedule
    with pytest.raises(ValueError, match="copy_inputs is 1, expected a bool"):
        Conv2dConfiguration.from_json({**values, "copy_inputs": 1})


def test_bands_of_a_plane_are_refused():
    values = Conv2dConfiguration(
        sparse=True, schedule=Conv2dSchedule(rows=1, vectors=1, band=16)
    ).to_json()
    with pytest.raises(ValueError, match="needs outer=Outer.TILE"):
        Conv2dConfiguration.from_json({**values, "outer": "plane"})
