"""Kernels by transforms for tests, and their parts as kernels of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import tvm

from te_schedules.cpu.int8.instruction_sets import INSTRUCTION_SETS
from te_schedules.cpu.int8.layer import Int8Layer
from te_schedules.cpu.int8.plain_instructions import plain
from te_schedules.cpu.int8.winograd_conv2d import winograd_conv2d
from te_schedules.cpu.int8.winograd_kernel import TileConv2d
from te_schedules.cpu.int8.winograd_schedule import TileSchedule
from te_schedules.cpu.int8.winograd_words import WORD_PRODUCTS, plain_words
from te_schedules.cpu.vector_code import prim_func
from tests.te_schedules.cpu.int8.int8_reference import (
    exact_layer,
    random_bytes,
    run_bytes,
    to_stored,
)
from tests.te_schedules.cpu.lane_kernels import compiled

__all__ = ["assert_tiles_exact", "run_part", "tile_conv2d"]


def tile_conv2d(layer: Int8Layer, name: str = "plain", **schedule: int) -> TileConv2d:
    """Tiles of 4x4, some filters at a time, unless told otherwise.

    Args:
        name: of the instructions; "plain" are those of vectors of 4.
    """
    sizes = {"height": 4, "width": 4, "rows": 2, "group": 3, "together": 2, **schedule}
    return TileConv2d(
        layer=layer,
        instructions=INSTRUCTION_SETS.get(name) or plain(4, 16),
        words=WORD_PRODUCTS.get(name) or plain_words(4, 16),
        schedule=TileSchedule(**sizes),
    )


def assert_tiles_exact(kernel: TileConv2d, data: np.ndarray | None = None) -> None:
    """Compares with sums of integers."""
    layer = kernel.layer
    data = random_bytes(*layer.in_shape) if data is None else data
    other = random_bytes(*layer.out_shape, seed=1)
    args = [to_stored(data), *kernel.constants.values()]
    args += [to_stored(other)] if layer.store.residual else []
    found = run_bytes(winograd_conv2d(kernel), *args, shape=layer.out_shape)
    np.testing.assert_array_equal(found, exact_layer(layer, data, other))


def run_part(
    body: Callable[..., None], arguments: Sequence[np.ndarray], output: np.ndarray
) -> np.ndarray:
    """Returns what ``body``, given flat buffers, makes of ``output``, the last of them."""
    flat = [each.reshape(-1) for each in (*arguments, output)]
    params = [(f"b{i}", each.shape, str(each.dtype)) for i, each in enumerate(flat)]
    tensors = [tvm.runtime.tensor(each) for each in flat]
    compiled(prim_func(params, body)).jit()["main"](*tensors)
    return tensors[-1].numpy().reshape(output.shape)
