import pytest

from te_schedules.cpu.conv2d_configuration import Conv2dConfiguration
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule, Hold, Outer
from te_schedules.cpu.pair_configuration import PairConfiguration

PLANE = Conv2dSchedule(rows=2, vectors=3, group=2, outer=Outer.PLANE, chunks=4)
SMALL = Conv2dSchedule(rows=1, vectors=2, hold=Hold.INPUTS)
PAIR = PairConfiguration(
    first=Conv2dConfiguration(sparse=True, schedule=PLANE),
    depthwise=Conv2dConfiguration(sparse=False, schedule=SMALL),
)


def test_json_gives_it_back():
    values = PAIR.to_json()
    assert (values["rows"], values["depthwise rows"]) == (2, 1)
    assert PairConfiguration.from_json(values) == PAIR
    assert PAIR.sparse


def test_a_text_for_people():
    assert str(PAIR) == (
        "sparse, tile 2x3, group 2, hold weights, outer plane, chunks 4; "
        "depthwise: dense, tile 1x2, group 1, hold inputs, outer tile, chunks 1"
    )


def test_other_values_are_refused():
    values = PAIR.to_json()
    with pytest.raises(ValueError, match="expected outer plane: the depthwise"):
        PairConfiguration.from_json({**values, "outer": "tile"})
    with pytest.raises(ValueError, match="rows is 0, expected a whole number"):
        PairConfiguration.from_json({**values, "depthwise rows": 0})
    with pytest.raises(KeyError):
        PairConfiguration.from_json({n: v for n, v in values.items() if n != "depthwise sparse"})
