from te_schedules.gpu.conv2d_geometry import GpuGeometry
from te_schedules.window import Window


def test_shapes_come_back():
    geometry = GpuGeometry.of(Window((3, 3)), (2, 5, 7, 9), (2, 6, 4, 8))
    assert geometry.in_shape == (2, 5, 7, 9)
    assert geometry.out_shape == (2, 6, 4, 8)
    assert (geometry.batch, geometry.in_channels, geometry.out_channels) == (2, 5, 6)
