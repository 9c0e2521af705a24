import numpy as np
import pytest
import tvm

from te_schedules.cpu.int8.instruction_sets import INSTRUCTION_SETS
from te_schedules.cpu.int8.layer_frame import flat
from te_schedules.cpu.int8.patch_shape import patch_shapes
from te_schedules.cpu.int8.patch_strip import PatchStrip
from te_schedules.cpu.int8.planes import stored_shape
from te_schedules.cpu.vector_code import prim_func
from tests.te_schedules.cpu.int8.instruction_samples import sample_layer
from tests.te_schedules.cpu.int8.int8_reference import random_bytes, to_stored
from tests.te_schedules.cpu.lane_kernels import compiled

FIRST, IMAGE = 1, 1


@pytest.mark.parametrize("instructions", ["avx2", "dotprod", "avx512-vbmi"])
@pytest.mark.parametrize("name", ["3x3", "3x3, large", "3x3, stride 2"])
def test_patches_hold_what_outputs_are_made_of(name, instructions):
    layer, instructions = sample_layer(name), INSTRUCTION_SETS[instructions]
    for shape in patch_shapes(layer, instructions):
        strip = PatchStrip(layer=layer, instructions=instructions, rows=3, shape=shape)
        data = random_bytes(*layer.in_shape)
        found = _copied(strip, data) ^ instructions.flip
        padded = np.full((layer.in_shape[1], 60, 90), layer.in_zero, np.uint8)
        padded[:, 1 : 1 + data.shape[2], 1 : 1 + data.shape[3]] = data[IMAGE]
        across = -(-layer.out_shape[3] // shape.columns)
        last = layer.out_shape[3] + 2
        for patch in range(strip.outputs // shape.outs):
            top = FIRST * shape.stride + patch // across * shape.rows * shape.stride
            left = patch % across * shape.columns * shape.stride
            own = found[:, patch * shape.size :][:, : shape.in_rows * shape.in_columns]
            own = own.reshape(-1, shape.in_rows, shape.in_columns)
            expected = padded[:, top : top + shape.in_rows, left : left + shape.in_columns]
            inside = (np.arange(shape.in_columns) + left) < last
            assert np.array_equal(own[:, :, inside], expected[:, :, inside])


def _copied(strip: PatchStrip, data: np.ndarray) -> np.ndarray:
    size = strip.planes * strip.channel_bytes + 64

    def body(data, scratch, output) -> None:
        strip.copy_in(output, scratch, flat(data), IMAGE, FIRST)

    params = [("data", stored_shape(data.shape), "uint8"), ("scratch", (strip.scratch,), "uint8")]
    func = prim_func([*params, ("output", (size,), "uint8")], body)
    output = tvm.runtime.tensor(np.zeros(size, np.uint8))
    scratch = tvm.runtime.tensor(np.zeros(strip.scratch, np.uint8))
    compiled(func).jit()["main"](tvm.runtime.tensor(to_stored(data)), scratch, output)
    return output.numpy()[:-64].reshape(strip.planes, -1)
