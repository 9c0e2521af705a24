import itertools

import numpy as np

from te_schedules.cpu.winograd_products import multiply, multiply_and_store
from tests.te_schedules.cpu.lane_kernels import assert_stored, random_array
from tests.te_schedules.cpu.winograd_case import WinogradCase, bound, run_stage, small_case

CASE = small_case()
POINT = WinogradCase(
    weight=random_array(5, 3, 1, 1),
    size=(9, 11),
    lanes=4,
    padding=(0,) * 4,
    transform=small_case(rows=1, vectors=1, units=14).transform,
)


def test_sums_are_over_all_channels_at_one_place():
    conv, weight = bound(CASE), CASE.kernel().kernels.weight
    schedule, lanes = conv.schedule, CASE.lanes
    packed = random_array(schedule.units * conv.products * conv.place_values)
    values = schedule.units * conv.products * conv.kernels.groups * 2 * conv.unit_values
    groups = conv.kernels.groups
    got = run_stage(CASE, lambda c, data, out: multiply(c, data, out, 0, groups), packed, (values,))
    for p, u, g in itertools.product(range(conv.products), range(schedule.units), range(groups)):
        first = int(conv.packed_at(p, 0, u))
        inputs = packed[first : first + CASE.channels * conv.unit_values]
        expected = weight[p, g].T @ inputs.reshape(CASE.channels, -1)
        at = int(conv.sums_at(p, g, u))
        np.testing.assert_allclose(
            got[at : at + 2 * 2 * lanes], expected.reshape(-1), rtol=1e-5, atol=1e-5
        )


def test_where_a_tile_is_one_product_sums_are_stored_as_results():
    conv, layout, lanes = bound(POINT), POINT.out_layout(), POINT.lanes
    stored = POINT.in_layout().pack(POINT.data)
    packed = np.zeros(conv.schedule.units * conv.place_values, np.float32)
    for u, c, channel in itertools.product(
        range(conv.schedule.units), range(2), range(POINT.channels)
    ):
        row, column = (int(each) for each in conv.corner(conv.tile(u, c)))
        source, at = layout.offset(row, column), int(conv.packed_at(0, channel, u)) + c * lanes
        packed[at : at + lanes] = stored[0, channel, source : source + lanes]
    got = run_stage(
        POINT,
        lambda c, data, out: multiply_and_store(c, data, 0, 0, 0, conv.kernels.groups),
        packed,
        layout.shape(1, 5),
    )
    assert_stored(got, layout, POINT.reference())
