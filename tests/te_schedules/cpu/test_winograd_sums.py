import itertools

import numpy as np

from te_schedules.cpu.winograd_sums import transform_sums
from tests.te_schedules.cpu.lane_kernels import random_array
from tests.te_schedules.cpu.winograd_case import bound, run_stage, small_case

CASE = small_case()


def test_each_value_is_that_of_the_first_tile_that_has_it():
    conv, layout, lanes = bound(CASE), CASE.out_layout(), CASE.lanes
    groups, units = conv.kernels.groups, conv.schedule.units
    sums = random_array(units * conv.products * groups * 2 * conv.unit_values)
    got = run_stage(
        CASE,
        lambda c, data, out: transform_sums(c, data, 0, 0, 0, groups),
        sums,
        layout.shape(1, 5),
    )
    inside = layout.pack(np.ones((1, 1, *CASE.size), np.float32))[0, 0]
    y, x = conv.y.of_outputs, conv.x.of_outputs
    seen = set()
    for g, f, u, c in itertools.product(range(groups), range(2), range(units), range(2)):
        filter_ = int(conv.filter(g, f))
        row, column = (int(each) for each in conv.corner(conv.tile(u, c)))
        starts = [int(conv.sums_at(p, g, u)) + (f * 2 + c) * lanes for p in range(conv.products)]
        tile = np.array([sums[at : at + lanes] for at in starts])
        tile = tile.reshape(conv.y.products, conv.x.products, lanes)
        results = np.einsum("rp,pql,vq->rvl", y, tile, x)
        for r, v in np.ndindex(*results.shape[:2]):
            place = (filter_, row + r, column + v)
            if place not in seen and (u, c, g) == _first(conv, *place, g):
                seen.add(place)
                at = layout.offset(*place[1:])
                kept = results[r, v] * (inside[at : at + lanes] > 0)
                np.testing.assert_allclose(
                    got[0, filter_, at : at + lanes], kept, rtol=1e-4, atol=1e-4
                )
    assert len(seen) == 5 * layout.vectors_y * layout.vectors_x


def _first(conv, filter_: int, row: int, column: int, g: int) -> tuple[int, int, int]:
    """The unit, tile of it and group that store a vector last, of those that may."""
    schedule = conv.schedule
    tile = (row // schedule.rows) * conv.store.columns.count + column // schedule.vectors
    found = [
        (u, c, group)
        for group in range(conv.kernels.groups)
        for u, c in itertools.product(range(schedule.units), range(schedule.together))
        if int(conv.tile(u, c)) == tile
        and filter_ in {int(conv.filter(group, f)) for f in range(conv.kernels.group)}
    ]
    return found[-1]
