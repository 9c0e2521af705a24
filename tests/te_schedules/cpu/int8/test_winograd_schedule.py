import pytest

from te_schedules.cpu.int8.winograd_schedule import TileSchedule

ONE = TileSchedule(height=4, width=2, rows=7, group=6, together=2, chunks=3)


def test_json_gives_it_back():
    assert TileSchedule.from_json(ONE.to_json()) == ONE
    assert ONE.to_json()["sparse"] is ONE.sparse is False


def test_a_text_for_people():
    assert str(ONE) == "dense, winograd 4x2, blocks of 7 rows, group 6, together 2, chunks 3"


@pytest.mark.parametrize("wrong", [{"sparse": True}, {"height": 0}, {"rows": 2.0}, {"group": "2"}])
def test_other_values_are_refused(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"{name} is .*, expected"):
        TileSchedule.from_json({**ONE.to_json(), **wrong})
    with pytest.raises(TypeError):
        TileSchedule.from_json({**ONE.to_json(), "more": 1})
