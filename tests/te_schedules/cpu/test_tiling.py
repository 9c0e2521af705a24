import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tvm.tirx import IntImm, Var

from te_schedules.cpu.tiling import Tiling, tile_parts


@st.composite
def tilings(draw) -> Tiling:
    extent = draw(st.integers(1, 30))
    return Tiling(extent, draw(st.integers(1, extent)))


@given(tilings())
def test_tiles_cover_everything_and_nothing_else(tiling):
    covered = {start + i for start in tiling.starts for i in range(tiling.tile)}
    assert covered == set(range(tiling.extent))
    assert len(tiling.starts) == tiling.count


@given(tilings())
def test_only_the_last_tile_overlaps(tiling):
    assert tiling.count == -(-tiling.extent // tiling.tile)
    assert tiling.starts[:-1] == tuple(range(0, tiling.extent, tiling.tile))[:-1]
    assert tiling.starts[-1] + tiling.tile == tiling.extent


@given(tilings(), tilings())
def test_what_overlaps_in_one_direction_is_computed_once(rows, columns):
    parts = tile_parts(rows, columns)
    assert sum(part.tiles for part in parts) == rows.count * columns.count
    computed = sum(part.tiles * len(part.places) for part in parts)
    again = rows.overlap * columns.extent if columns.overlap else 0
    assert computed == rows.extent * columns.extent + again


@settings(deadline=None)
@given(tilings())
def test_the_index_expression_gives_the_starts(tiling):
    starts = [tiling.start(IntImm("int32", i)) for i in range(tiling.count)]
    assert tuple(int(start) for start in starts) == tiling.starts


def test_a_dividing_tile_needs_no_minimum():
    index = Var("i", "int32")
    assert "min" not in str(Tiling(12, 4).start(index))
    assert "min" in str(Tiling(13, 4).start(index))


@pytest.mark.parametrize("tile", [0, 8])
def test_a_tile_larger_than_the_plane_is_declined(tile):
    with pytest.raises(ValueError, match=f"a tile of {tile} vectors over 7: expected 1 to 7"):
        Tiling(7, tile)
