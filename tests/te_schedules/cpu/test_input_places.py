import numpy as np
import pytest

from te_schedules.cpu.conv2d_geometry import Conv2dGeometry
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule
from te_schedules.cpu.input_places import InputPlaces, read_places
from te_schedules.cpu.lane_layout import LaneLayout
from te_schedules.cpu.lane_split import best_split
from te_schedules.window import Window
from tvm_patdnn.sparse.patterns import Pattern

CORNER = Pattern(kernel_shape=(3, 3), taps=((0, 0), (0, 1), (1, 0), (1, 1)))


@pytest.mark.parametrize(
    ("channels", "distance", "unit", "dtype"),
    [
        (64, 448, 2, np.uint16),
        (293, 448, 2, np.uint16),  # 292 * 448 is 65,408 pairs
        (294, 448, 8, np.uint16),  # 293 * 448 is 65,632
        (1024, 448, 8, np.uint16),
        (2048, 448, 448, np.uint16),
        (1 << 16, 448, 448, np.uint16),
        ((1 << 16) + 1, 448, 448, np.int32),
    ],
)
def test_places_are_stored_in_the_smallest_unit_that_two_bytes_hold(
    channels, distance, unit, dtype
):
    places = InputPlaces(channels=channels, distance=distance, lanes=8)
    index = np.array([0, 1, channels // 2, channels - 1], np.int32)
    stored = places.numbers(index)
    assert (places.unit, stored.dtype) == (unit, dtype)
    assert np.array_equal(stored.astype(np.int64) * unit, index.astype(np.int64) * distance)


def geometry(channels: int) -> Conv2dGeometry:
    window = Window(taps=(3, 3), padding=(1, 1))
    split = best_split(14, 14, 8)
    return Conv2dGeometry.of(window, (1, channels, 14, 14), 8, LaneLayout(split))


def test_copies_lie_closer_than_planes_and_begin_anew_in_every_band():
    layer = geometry(48)
    planes = InputPlaces.of(layer, [CORNER], Conv2dSchedule(rows=1, vectors=2))
    assert (planes.channels, planes.distance) == (48, layer.in_layout.plane_values)
    copying = Conv2dSchedule(rows=1, vectors=2, band=32, copy_inputs=True)
    copies = InputPlaces.of(layer, [CORNER], copying)
    read = read_places(layer, [CORNER], copying)
    assert read == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    assert (copies.channels, copies.distance) == (32, 8 * len(read))
    index = np.array([0, 31, 32, 47], np.uint16)
    assert np.array_equal(copies.numbers(index) * copies.unit, np.array([0, 31, 0, 15]) * 48)
