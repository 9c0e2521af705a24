import numpy as np
import pytest
import tvm

from te_schedules.cpu.int8.plane_loop import over_planes, pixels_of, plain_shape
from te_schedules.cpu.int8.planes import stored_shape
from te_schedules.cpu.vector_code import prim_func
from tests.te_schedules.cpu.lane_kernels import compiled


@pytest.mark.parametrize("shape", [(2, 3, 5, 7), (1, 2, 4, 8), (2, 33, 1, 1), (1, 2, 1, 3)])
def test_every_pixel_is_visited_and_nothing_else(shape):
    def body(output):
        def emit(code, n, plane, pixel):
            code.store(output, code.repeat(tvm.tirx.const(7, "uint8")), n, plane, pixel)

        over_planes(shape, emit)

    func = prim_func([("output", stored_shape(shape), "uint8")], body)
    output = tvm.runtime.tensor(np.zeros(stored_shape(shape), np.uint8))
    compiled(func).jit()["main"](output)
    pixels = pixels_of(shape)
    assert (output.numpy()[:, :, :pixels] == 7).all()
    assert (output.numpy()[:, :, pixels:] == 0).all()
    assert plain_shape(shape) == (*stored_shape(shape)[:2], pixels)
