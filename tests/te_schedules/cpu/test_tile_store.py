import numpy as np
import pytest

from te_schedules.cpu.conv2d_schedule import Conv2dSchedule
from te_schedules.cpu.lane_layout import Halo, LaneLayout
from te_schedules.cpu.lane_split import best_split
from te_schedules.cpu.tile_store import OperandSpec, one_of_each_line, operand_params
from te_schedules.epilogue import Step
from tests.te_schedules.cpu.lane_kernels import (
    ConvCase,
    assert_stored,
    pattern_weight,
    random_array,
)

SAME = Halo(top=1, left=1, bottom=1, right=1)
UNEVEN = Halo(top=2, left=0, bottom=1, right=3)
WIDE = Halo(top=6, left=5, bottom=2, right=4)  # wider than a block, so of blocks further away


@pytest.mark.parametrize(
    ("size", "rows", "vectors", "halo"),
    [
        ((9, 11), 2, 2, Halo()),  # 5 x 3 steps: tiles overlap both ways
        ((9, 11), 2, 2, SAME),
        ((9, 11), 2, 2, Halo(left=2)),
        ((9, 11), 2, 2, UNEVEN),
        ((9, 11), 2, 2, WIDE),
        ((8, 8), 2, 4, SAME),  # 2 x 4 steps: one exact tile
        ((8, 8), 2, 4, UNEVEN),
        ((2, 3), 1, 1, SAME),  # lanes outside the plane
        ((2, 3), 1, 1, WIDE),
        ((1, 13), 1, 1, WIDE),
    ],
)
def test_the_halo_is_that_of_the_packed_result(size, rows, vectors, halo):
    case = ConvCase(
        weight=pattern_weight(2, 2),
        size=size,
        schedule=Conv2dSchedule(rows=rows, vectors=vectors),
        halo=halo,
    )
    case.check()


@pytest.mark.parametrize("lanes", [4, 16])
def test_the_halo_with_other_lanes(lanes):
    ConvCase(
        weight=pattern_weight(2, 2),
        size=(13, 30),
        lanes=lanes,
        halo=Halo(top=4, left=3, bottom=1, right=9),
        schedule=Conv2dSchedule(rows=2, vectors=2),
    ).check()


def with_epilogue(steps, operands, **options) -> ConvCase:
    return ConvCase(
        weight=pattern_weight(3, 2),
        batch=2,
        halo=SAME,
        steps=tuple(steps),
        operands=tuple(operands),
        schedule=Conv2dSchedule(rows=2, vectors=2, chunks=2),
        **options,
    )


@pytest.mark.parametrize("images", [1, 2])
def test_a_number_for_each_channel_of_all_images_or_of_every_one(images):
    channel = random_array(images, 3)
    case = with_epilogue([Step("add", OperandSpec(batch=images))], [channel])
    expected = case.reference() + channel.reshape(images, 3, 1, 1)
    assert_stored(case.run(), case.out_layout(), expected)


@pytest.mark.parametrize("halo", [Halo(), Halo(top=3, left=1), SAME])
def test_a_residual_may_have_another_halo(halo):
    layout = LaneLayout(best_split(9, 11, 8), halo)
    residual = random_array(2, 3, 9, 11, seed=2)
    case = with_epilogue(
        [Step("add", OperandSpec(batch=2, layout=layout)), Step("relu")],
        [layout.pack(residual)],
    )
    assert case.out_layout().split == layout.split
    assert_stored(case.run(), case.out_layout(), np.maximum(case.reference() + residual, 0))


def test_operands_of_several_steps_are_taken_in_order():
    layout = LaneLayout(best_split(9, 11, 8))
    bias, slope = random_array(1, 3), random_array(1, 3, seed=1)
    residual = random_array(2, 3, 9, 11, seed=2)
    case = with_epilogue(
        [
            Step("add", OperandSpec()),
            Step("relu"),
            Step("add", OperandSpec(batch=2, layout=layout)),
            Step("prelu", OperandSpec()),
        ],
        [bias, layout.pack(residual), slope],
    )
    summed = np.maximum(case.reference() + bias.reshape(1, 3, 1, 1), 0) + residual
    expected = np.where(summed > 0, summed, summed * slope.reshape(1, 3, 1, 1))
    assert_stored(case.run(), case.out_layout(), expected)


def test_steps_leave_zeros_outside_the_plane():
    # exp(0) is 1, but the halo and the lanes outside the plane are the next layer's padding.
    case = with_epilogue([Step("exp")], [], size=(5, 6), lanes=4)
    assert not case.out_layout().split.is_exact
    assert_stored(case.run(), case.out_layout(), np.exp(case.reference()))


def test_the_check_of_halos_sees_a_wrong_one():
    case = ConvCase(weight=pattern_weight(1, 1, density=1.0), halo=SAME)
    stored = case.run()
    stored[0, 0, 0] += 1  # the first value is the corner of the halo
    with pytest.raises(AssertionError, match="Mismatched elements: 1 "):
        assert_stored(stored, case.out_layout(), case.reference())


def test_params_of_operands():
    layout = LaneLayout(best_split(4, 4, 4))
    specs = [OperandSpec(), OperandSpec(batch=2), OperandSpec(batch=2, layout=layout)]
    assert operand_params([Step("relu"), *(Step("add", spec) for spec in specs)], 3) == [
        ("operand0", (1, 3), "float32"),
        ("operand1", (2, 3), "float32"),
        ("operand2", (2, 3, layout.plane_values), "float32"),
    ]


@pytest.mark.parametrize("vectors", [1, 2, 4])
@pytest.mark.parametrize("width", [1, 2, 5, 14])
def test_every_line_of_a_tile_is_fetched_wherever_its_rows_begin(width, vectors):
    places = [(row, column) for row in range(2) for column in range(width)]
    fetched = set(one_of_each_line(places, vectors))
    assert fetched <= set(places)
    for begin in range(vectors):
        lines = {(row, (begin + column) // vectors) for row, column in places}
        assert lines == {(row, (begin + column) // vectors) for row, column in fetched}
    assert len(fetched) <= 2 * (-(-width // vectors) + 1)
