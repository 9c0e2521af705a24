from dataclasses import replace

import numpy as np
import tvm

from te_schedules.cpu.int8.plain_instructions import plain
from te_schedules.cpu.int8.sums import Sums
from te_schedules.cpu.vector_code import VectorCode, prim_func
from tests.te_schedules.cpu.lane_kernels import compiled


def test_each_filter_adds_its_weights_products_to_its_bias():
    instructions = plain(4, 16)
    weights = np.array([[1, -2, 3, 100], [-7, 5, 0, 2]], np.int8)
    bias = np.array([1000, 3, -20], np.int32)
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (2, 4, 4)).astype(np.uint8)  # of each load: tap, pixel
    code, bytes_ = VectorCode(4, "int32"), VectorCode(16, "uint8")

    def body(data, weight, bias, output) -> None:
        sums = Sums(instructions=instructions, group=2, tile=2, vectors=1)
        sums.allocate()
        sums.start(bias, 1)
        sums.load_weights(weight, 3)
        for load in range(2):
            sums.add(load, sums.hold([bytes_.load(data, load * 16)]))
        for f in range(2):
            for load in range(2):
                code.store(output, sums.take(f, load)[0], (f * 2 + load) * 4)

    params = [("data", (32,), "uint8"), ("weight", (8,), "int32"), ("bias", (3,), "int32")]
    func = prim_func([*params, ("output", (16,), "int32")], body)
    stored = np.zeros((4, 2, 4), np.int8)
    stored[3] = weights
    output = tvm.runtime.tensor(np.zeros(16, np.int32))
    arrays = (pixels.reshape(-1), stored.view(np.int32).reshape(-1), bias)
    compiled(func).jit()["main"](*map(tvm.runtime.tensor, arrays), output)
    expected = np.einsum("ft,ltp->flp", weights.astype(int), pixels.astype(int))
    expected = expected + bias[1:, None, None]
    assert np.array_equal(output.numpy().reshape(2, 2, 4), expected)


def test_two_entries_that_are_coupled_are_added_at_once():
    one = plain(4, 16)
    twice = replace(one, couple_dot=lambda s, a, wa, b, wb: one.dot(one.dot(s, a, wa), b, wb))
    rng = np.random.default_rng(0)
    weights = rng.integers(-127, 128, (2, 2, 4)).astype(np.int8)  # entry, filter, tap
    pixels = rng.integers(0, 256, (2, 4, 4)).astype(np.uint8)  # entry, tap, pixel
    code, bytes_ = VectorCode(4, "int32"), VectorCode(16, "uint8")

    def body(data, weight, bias, output) -> None:
        sums = Sums(instructions=twice, group=2, tile=1, vectors=1, coupled=True)
        sums.allocate()
        sums.start(bias, 0)
        for entry in range(2):
            sums.load_weights(weight, entry, entry)
        sums.add_couple(0, *[[bytes_.load(data, 16 * entry)] for entry in range(2)])
        for f in range(2):
            code.store(output, sums.take(f, 0)[0], f * 4)

    params = [("data", (32,), "uint8"), ("weight", (4,), "int32"), ("bias", (2,), "int32")]
    func = prim_func([*params, ("output", (8,), "int32")], body)
    output = tvm.runtime.tensor(np.zeros(8, np.int32))
    arrays = (pixels.reshape(-1), weights.view(np.int32).reshape(-1), np.array([7, -9], np.int32))
    compiled(func).jit()["main"](*map(tvm.runtime.tensor, arrays), output)
    products = np.einsum("eft,etp->fp", weights.astype(int), pixels.astype(int))
    expected = products + np.array([[7], [-9]])
    assert np.array_equal(output.numpy().reshape(2, 4), expected)
