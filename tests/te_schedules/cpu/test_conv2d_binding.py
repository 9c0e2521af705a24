import numpy as np
import pytest
from tvm import tirx
from tvm.tirx.script import builder as T

from te_schedules.cpu.conv2d_schedule import Conv2dSchedule
from tests.te_schedules.cpu.lane_kernels import (
    ConvCase,
    bound_kernel,
    pattern_weight,
    run_bound,
)

W53 = pattern_weight(5, 3)
SCHEDULE = Conv2dSchedule(rows=2, vectors=2, chunks=2)
SHAPES = {
    "plain": {},
    "stride": {"stride": (2, 3), "size": (13, 40)},
    "padding": {"padding": (2, 0, 1, 3)},
    "dilation": {"dilation": (2, 3), "padding": (2, 3, 2, 3)},
}


def look(case: ConvCase, see) -> None:
    """Calls ``see`` with the bound convolution."""
    seen = []

    def body(conv, _) -> None:
        see(conv)
        seen.append(True)

    bound_kernel(case, body, 1)
    assert seen


@pytest.mark.parametrize("options", SHAPES.values(), ids=SHAPES)
def test_tiles_cover_the_plane_row_by_row(options):
    case = ConvCase(weight=W53, schedule=SCHEDULE, **options)
    layout = case.out_layout()

    def see(conv) -> None:
        tiles = conv.store.rows.count * conv.store.columns.count
        corners = [conv.corner(0, tile) for tile in range(tiles)]
        places = [(int(corner.row), int(corner.column)) for corner in corners]
        assert places == sorted(places)
        covered = {(y + r, x + v) for y, x in places for r, v in conv.places}
        assert covered == set(np.ndindex(layout.vectors_y, layout.vectors_x))

    look(case, see)


@pytest.mark.parametrize("options", SHAPES.values(), ids=SHAPES)
def test_a_tile_reads_where_the_geometry_says(options):
    case = ConvCase(weight=W53, schedule=SCHEDULE, **options)
    layout, stride, padding = case.in_layout(), case.stride, case.padding

    def see(conv) -> None:
        corner = conv.corner(0, 1)
        y, x = (int(start) for start in (corner.row, corner.column))
        for row, column in np.ndindex(3, 4):
            at = layout.offset(
                y * stride[0] - padding[0] + row, x * stride[1] - padding[1] + column
            )
            assert int(conv.origin(corner)) + conv.distance((row, column)) == at

    look(case, see)


def test_filters_are_found_by_chunk_and_group():
    case = ConvCase(
        weight=np.repeat(W53, 2, axis=0),
        schedule=Conv2dSchedule(rows=1, vectors=1, group=2, chunks=3),
    )
    fkw = case.fkw()

    def body(conv, output) -> None:
        for chunk in range(3):
            first, last = conv.groups_of(chunk)
            with T.serial(last - first) as i:
                for f in range(2):
                    at = (first + i) * 2 + f
                    T.buffer_store(output, tirx.Cast("float32", conv.filter(first + i, f)), [at])

    assert np.array_equal(run_bound(case, body, len(fkw.reorder)), fkw.reorder)


def test_a_tile_has_what_the_products_ask_for():
    def see(conv) -> None:
        tile = conv.allocate()
        assert tile.places == conv.places == [(0, 0), (0, 1), (1, 0), (1, 1)]
        assert (len(tile.weights), len(tile.inputs)) == conv.products.registers(conv)
        assert tile.memory is None

    look(ConvCase(weight=W53, schedule=SCHEDULE), see)


def test_a_part_of_a_tile_reads_less():
    def see(conv) -> None:
        tile, pattern = conv.allocate(), conv.fkw.patterns[0]
        part = tile.part([(0, 1)])
        assert conv.reads(pattern, part).keys() < conv.reads(pattern, tile).keys()

    look(ConvCase(weight=W53, schedule=SCHEDULE), see)
