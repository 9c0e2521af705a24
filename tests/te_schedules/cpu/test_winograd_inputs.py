import itertools

import numpy as np

from te_schedules.cpu.winograd_inputs import transform_inputs
from tests.te_schedules.cpu.winograd_case import bound, run_stage, small_case

CASE = small_case()


def test_each_tile_is_transformed_into_its_place():
    conv, layout = bound(CASE), CASE.in_layout()
    stored = layout.pack(CASE.data)
    schedule, lanes = conv.schedule, layout.lanes
    values = schedule.units * conv.products * conv.place_values
    got = run_stage(CASE, lambda c, data, out: transform_inputs(c, out, 0, 0), stored, (values,))
    y, x = conv.y.of_inputs, conv.x.of_inputs
    for u, c, channel in itertools.product(range(schedule.units), range(2), range(CASE.channels)):
        row, column = (int(each) for each in conv.corner(conv.tile(u, c)))
        tile = np.zeros((conv.y.products, conv.x.products, lanes))
        for r, v in np.ndindex(*tile.shape[:2]):
            at = layout.offset(row + r - 1, column + v - 1)
            tile[r, v] = stored[0, channel, at : at + lanes]
        expected = np.einsum("pr,rvl,qv->pql", y, tile, x).reshape(-1, lanes)
        for p in range(conv.products):
            at = int(conv.packed_at(p, channel, u)) + c * lanes
            np.testing.assert_allclose(got[at : at + lanes], expected[p], rtol=1e-5, atol=1e-5)
