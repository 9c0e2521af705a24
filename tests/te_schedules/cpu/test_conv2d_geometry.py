import pytest

from te_schedules.cpu.conv2d_geometry import Conv2dGeometry, holding, input_layout
from te_schedules.cpu.lane_layout import Halo, LaneLayout
from te_schedules.cpu.lane_split import best_split
from te_schedules.window import Window

SAME = Window((3, 3), padding=(1, 1))


def test_a_layer_alone_has_the_best_split_and_just_the_halo_it_needs():
    geometry = Conv2dGeometry.alone(SAME, (2, 3, 56, 56), (2, 8, 56, 56), lanes=16)
    assert (geometry.batch, geometry.in_channels, geometry.out_channels) == (2, 3, 8)
    assert geometry.out_layout == LaneLayout(best_split(56, 56, 16))
    around = Halo(top=1, left=1, bottom=1, right=1)
    assert geometry.in_layout == LaneLayout(best_split(56, 56, 16), around)
    assert geometry.in_shape == geometry.in_layout.shape(2, 3)
    assert geometry.out_shape == geometry.out_layout.shape(2, 8)
    assert (geometry.stride, geometry.dilation, geometry.padding) == ((1, 1), (1, 1), (1, 1))


def test_a_layout_that_is_stored_for_several_readers_is_kept():
    wide = LaneLayout(best_split(8, 8, 4), Halo(top=3, left=3, bottom=3, right=3))
    out = LaneLayout(best_split(8, 8, 4))
    assert Conv2dGeometry.of(SAME, (1, 2, 8, 8), 4, out, wide).in_layout == wide


@pytest.mark.parametrize("lanes", [4, 8, 16])
@pytest.mark.parametrize("size", [(1, 1), (7, 7), (9, 30), (56, 56)])
@pytest.mark.parametrize("stride", [(1, 1), (2, 2), (3, 1)])
def test_every_tap_of_every_output_is_stored(size, stride, lanes):
    window = Window((5, 3), stride=stride, dilation=(2, 1), padding=(4, 1))
    out_size = [-(-extent // step) for extent, step in zip(size, stride, strict=True)]
    out = holding(best_split(*out_size, lanes), window, *size)
    stored = input_layout(out, window, *size)
    assert (stored.vectors_y, stored.vectors_x) == (
        out.vectors_y * stride[0],
        out.vectors_x * stride[1],
    )
    assert (stored.halo.top, stored.halo.left) == window.padding
    last_y = (out.vectors_y - 1) * stride[0] + 4 * 2 - 4
    last_x = (out.vectors_x - 1) * stride[1] + 2 - 1
    assert last_y < stored.vectors_y + stored.halo.bottom
    assert last_x < stored.vectors_x + stored.halo.right
