import numpy as np
import pytest

from te_schedules.cpu.int8.instruction_sets import INSTRUCTION_SETS
from te_schedules.cpu.int8.patch_shape import OF_LARGE, PatchShape, patch_shapes
from tests.te_schedules.cpu.int8.instruction_samples import sample_layer

SHAPES = [
    PatchShape(size=16, rows=2, columns=2),
    *(PatchShape(size=64, rows=rows, columns=columns) for rows, columns in OF_LARGE),
    PatchShape(size=64, rows=3, columns=4, stride=2),
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_output_has_its_lane_and_its_taps(shape):
    assert shape.in_rows * shape.in_columns <= shape.size
    lanes = {}
    for row, column in np.ndindex(shape.rows, shape.columns):
        lane = shape.lane(row, column)
        assert lane < shape.outs
        lanes[lane] = row, column
        for y, x in np.ndindex(3, 3):
            byte = (row * shape.stride + y) * shape.in_columns + column * shape.stride + x
            assert shape.byte(lane, (y, x)) == byte
    assert len(lanes) == shape.rows * shape.columns
    for lane in set(range(shape.outs)) - set(lanes):
        assert 0 <= shape.byte(lane, (2, 2)) < shape.size


def test_what_permute_reaches_decides():
    layer = sample_layer("3x3")
    shapes = {name: patch_shapes(layer, each) for name, each in INSTRUCTION_SETS.items()}
    assert [each.size for each in shapes["avx2"]] == [16]
    assert {each.size for each in shapes["avx512-vbmi"]} == {64}
    assert patch_shapes(sample_layer("3x3, stride 2"), INSTRUCTION_SETS["avx2"]) == []
    assert patch_shapes(sample_layer("1x1"), INSTRUCTION_SETS["avx512-vbmi"]) == []
