from te_schedules.cpu.int8.conv2d_configuration import Int8Configuration
from tests.te_schedules.cpu.int8.test_strip_configuration import ONE as STRIPS
from tests.te_schedules.cpu.int8.test_winograd_schedule import ONE as TILES


def test_json_gives_back_either():
    for one in (STRIPS, TILES):
        assert Int8Configuration.from_json(one.to_json()) == one
