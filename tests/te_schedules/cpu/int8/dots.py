"""Runs ``dot`` on numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tvm

from te_schedules.cpu.int8.instructions import Instructions
from te_schedules.cpu.vector_code import VectorCode, prim_func
from tests.te_schedules.cpu.lane_kernels import compiled

__all__ = ["ANY", "assert_dot", "couple_function", "dot_function"]


ANY = ([127, 127, -128, -128], [-128, -128, 127, 126])  # pairs that overflow 16 bits


def couple_function(instructions: Instructions) -> tvm.tirx.PrimFunc:
    """Of (bytes of two entries, their weights, sums, result)."""
    lanes, size = instructions.lanes, instructions.bytes
    sums, code = VectorCode(lanes, "int32"), VectorCode(size, "uint8")
    assert instructions.couple_dot is not None

    def body(values, weights, start, output) -> None:
        spread = [instructions.spread(weights[i]) for i in range(2)]
        loaded = [code.load(values, i * size) for i in range(2)]
        given = loaded[0], spread[0], loaded[1], spread[1]
        sums.store(output, instructions.couple_dot(sums.load(start, 0), *given), 0)

    params = [("values", (2 * size,), "uint8"), ("weights", (2,), "int32")]
    params += [("start", (lanes,), "int32"), ("output", (lanes,), "int32")]
    return prim_func(params, body)


def dot_function(instructions: Instructions) -> tvm.tirx.PrimFunc:
    """Of (bytes, four weights as an int32, sums, result)."""
    lanes, size = instructions.lanes, instructions.bytes
    sums, code = VectorCode(lanes, "int32"), VectorCode(size, "uint8")

    def body(values, weights, start, output) -> None:
        spread = instructions.spread(weights[0])
        sums.store(output, instructions.dot(sums.load(start, 0), code.load(values, 0), spread), 0)

    params = [("values", (size,), "uint8"), ("weights", (1,), "int32")]
    params += [("start", (lanes,), "int32"), ("output", (lanes,), "int32")]
    return prim_func(params, body)


def assert_dot(instructions: Instructions, more: Sequence[Sequence[int]] = ()) -> None:
    """Compares with integer sums, also of the largest that AVX2 has no overflow with.

    Args:
        more: weights besides those.
    """
    lib = compiled(dot_function(instructions)).jit()
    rng = np.random.default_rng(0)
    lanes = instructions.lanes
    for most in ([127, 1, 127, 1], [-128, 0, -1, -127], [5, -7, 11, 60], *more):
        weights = np.array(most, np.int8)
        pixels = rng.integers(0, 256, (lanes, 4))
        pixels[0] = 255
        values = np.zeros(4 * lanes, np.uint8)
        for pixel, tap in np.ndindex(lanes, 4):
            values[instructions.order(pixel, tap)] = pixels[pixel, tap]
        if instructions.signed:
            values ^= instructions.flip
            pixels = pixels - 128
        start = rng.integers(-(10**6), 10**6, lanes).astype(np.int32)
        output = tvm.runtime.tensor(np.zeros(lanes, np.int32))
        lib["main"](*map(tvm.runtime.tensor, (values, weights.view(np.int32), start)), output)
        np.testing.assert_array_equal(output.numpy(), start + pixels @ weights.astype(int))
