"""Copied inputs: the same results, read from memory of the tile."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from tvm.tirx.script import builder as T

from te_schedules.cpu.conv2d_inputs import copy_inputs
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule, Hold
from te_schedules.epilogue import Step
from tests.te_schedules.cpu.lane_kernels import (
    ConvCase,
    pattern_weight,
    random_array,
    run_bound,
)

CASES = {
    "patterns": ConvCase(weight=pattern_weight(5, 7)),
    "1x1": ConvCase(weight=pattern_weight(5, 7, ["#"]), padding=(0,) * 4),
    "one channel": ConvCase(weight=pattern_weight(5, 1, density=1.0)),
    "no kernel": ConvCase(weight=0 * pattern_weight(5, 7)),
    "a larger kernel": ConvCase(weight=pattern_weight(3, 3, ["#...#/...../..#../...../#...#"])),
    "stride": ConvCase(weight=pattern_weight(5, 7), stride=(2, 2), batch=2),
    "stride of 1x1": ConvCase(weight=pattern_weight(5, 7, ["#"]), padding=(0,) * 4, stride=(2, 2)),
    "dilation": ConvCase(weight=pattern_weight(5, 7), dilation=(2, 2), padding=(2,) * 4),
    "dense": ConvCase(weight=random_array(5, 7, 3, 3), dense=True),
    "groups of the convolution": ConvCase(weight=pattern_weight(6, 3), groups=2),
    "steps": ConvCase(weight=pattern_weight(5, 7), steps=(Step("relu"),)),
    "one value": ConvCase(weight=pattern_weight(5, 7), size=(1, 1)),
}
POINTS = [(None, 1, (2, 1)), (3, 2, (2, 1)), (7, 1, (1, 2)), (16, 5, (1, 1)), (1, 3, (2, 2))]
SOME = [("patterns", POINTS[1]), ("1x1", POINTS[2]), ("stride", POINTS[1]), ("dense", POINTS[0])]


def copied(case: ConvCase, band: int | None, chunks: int, tile: tuple[int, int]) -> ConvCase:
    layout = case.out_layout()
    schedule = Conv2dSchedule(
        rows=min(tile[0], layout.vectors_y),
        vectors=min(tile[1], layout.vectors_x),
        band=band,
        chunks=chunks,
        copy_inputs=True,
    )
    return replace(case, schedule=schedule)


@pytest.mark.parametrize(
    ("name", "point"),
    [
        pytest.param(
            name, point, marks=[] if i % 5 == j or (name, point) in SOME else [pytest.mark.long]
        )
        for i, name in enumerate(CASES)
        for j, point in enumerate(POINTS)
    ],
)
def test_results_are_those_of_inputs_that_are_not_copied(name, point):
    case = copied(CASES[name], *point)
    uncopied = replace(case, schedule=replace(case.schedule, copy_inputs=False))
    used = case.out_layout().rows * case.out_layout().row_vectors * case.lanes
    assert np.array_equal(case.run()[..., :used], uncopied.run()[..., :used])
    if not case.steps:
        case.check()


@pytest.mark.parametrize("hold", Hold)
def test_groups_of_filters_read_copied_inputs(hold):
    schedule = Conv2dSchedule(rows=1, vectors=2, group=2, hold=hold, band=3, copy_inputs=True)
    ConvCase(weight=random_array(5, 7, 3, 3), dense=True, schedule=schedule).check()


@pytest.mark.parametrize("lanes", [4, 16])
def test_other_lanes(lanes):
    copied(ConvCase(weight=pattern_weight(5, 7), size=(11, 18), lanes=lanes), 3, 2, (2, 2)).check()


def test_what_a_tile_reads_of_a_channel_is_copied_once_and_in_order():
    """Channels 3 to 5 of seven, in bands of three: the rows of a tile, row by row."""
    case = copied(ConvCase(weight=pattern_weight(5, 7, ["##./##./..."])), 3, 1, (2, 1))
    layout, vectors = case.in_layout(), 3 * 2  # two rows and one more, two columns

    def body(conv, output) -> None:
        assert conv.read_places == list(itertools.product(range(3), range(2)))
        tile = conv.allocate()
        copy_inputs(conv, tile, 0, 1, conv.corner(0, 1))
        with T.serial(3 * vectors) as i:
            conv.code.store(output, conv.code.load(tile.memory, i * 8), i * 8)

    got = run_bound(case, body, 3 * vectors * 8).reshape(3, 3, 2, 8)
    planes = layout.pack(case.data)[0, 3:6, : layout.rows * layout.row_vectors * 8]
    planes = planes.reshape(3, layout.rows, layout.row_vectors, 8)
    columns = case.out_layout().vectors_x
    row, column = 2 * (1 // columns), 1 % columns
    assert np.array_equal(got, planes[:, row : row + 3, column : column + 2])
