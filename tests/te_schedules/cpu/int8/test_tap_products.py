import numpy as np

from te_schedules.cpu.int8.choose_strips import products_of
from te_schedules.cpu.int8.instruction_sets import INSTRUCTION_SETS
from te_schedules.cpu.int8.tap_products import TapProducts
from tests.te_schedules.cpu.int8.instruction_samples import sample_layer


def products(name: str, instructions: str = "avx2") -> TapProducts:
    found = products_of(sample_layer(name), INSTRUCTION_SETS[instructions], 1)
    return next(each for each in found if isinstance(each, TapProducts))


def test_lanes_are_put_in_the_order_of_pixels():
    made = products("1x1")
    pixel = made.strip.instructions.pixel
    assert [pixel(lane // 8, lane % 8) for lane in made.order] == [*range(32)]


def test_a_tap_is_stored_as_its_number_unless_there_is_one():
    assert [*products("1x1").constants] == ["channel"]
    made = products("5x3, all else")
    assert [*made.constants] == ["channel", "tap", "place"]
    places = [made.strip.tap(y, x) for y, x in np.ndindex(5, 3)]
    assert made.constants["place"].tolist() == places
    assert made.constants["tap"].max() < 15


def test_other_strips_keep_the_weights():
    made = products("3x3")
    other = made.with_rows(5)
    assert other.strip.rows == 5
    assert other.quads is made.quads
