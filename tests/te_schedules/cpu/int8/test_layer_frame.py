import numpy as np
import pytest
from tvm.tirx.script import builder as T

from te_schedules.cpu.int8.layer import Residual
from te_schedules.cpu.int8.layer_frame import layer_frame
from te_schedules.cpu.vector_code import prim_func
from tests.te_schedules.cpu.int8.int8_reference import int8_layer

CONSTANTS = {"bias": np.zeros(5, np.int32), "scale": np.zeros((5, 2), np.float32)}


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("rows", [False, True])
def test_an_emitter_is_given_what_the_function_is(residual, rows):
    other = Residual(scale=1.0, zero=0, low=0, high=255) if residual else None
    weight = np.ones((5, 3, 1, 1), np.int8)
    layer, given = int8_layer(weight, (2, 3, 4, 6), residual=other), []

    def emit(data, arrays, other, output) -> None:
        given.extend([data, *arrays.values(), other, output])
        T.evaluate(0)

    func = prim_func(*layer_frame(layer, CONSTANTS, emit, rows=rows))
    shapes = [tuple(map(int, each.shape)) for each in func.params]
    dtypes = [str(each.dtype) for each in func.params]
    assert dtypes == ["uint8", "int32", "float32", *["uint8"] * (1 + residual)]
    assert shapes[1:3] == [(5,), (5, 2)]
    data, _, _, other, output = given
    assert (other is not None) == residual
    for planes, shape in ((data, shapes[0]), (output, shapes[-1])):
        expected = (np.prod(shape),) if rows else shape
        assert tuple(map(int, planes.shape)) == expected
