"""What quantised layers compute, exactly, by numpy; and their tensors as kernels store them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tvm

from te_schedules.cpu.int8.byte_code import StoredRange, Term
from te_schedules.cpu.int8.layer import Int8Layer, Requantization
from te_schedules.cpu.int8.planes import stored_shape
from te_schedules.window import Window
from tests.te_schedules.cpu.lane_kernels import compiled

__all__ = [
    "exact_layer",
    "int8_layer",
    "numbers",
    "random_bytes",
    "requantized",
    "rounded",
    "run_bytes",
    "to_stored",
    "to_tensor",
]


def random_bytes(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def to_stored(tensor: np.ndarray) -> np.ndarray:
    """Stores (n, c, ...) uint8; what is behind the pixels is not 0."""
    stored = np.full(stored_shape(tensor.shape), 173, np.uint8)
    planes = tensor.reshape(*stored.shape[:2], -1)
    stored[:, :, : planes.shape[2]] = planes
    return stored


def to_tensor(stored: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """Returns the tensor (n, c, ...) that is stored."""
    pixels = int(np.prod(shape)) // (stored.shape[0] * stored.shape[1])
    return stored[:, :, :pixels].reshape(shape)


def run_bytes(func: tvm.tirx.PrimFunc, *args: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """Runs a kernel of bytes, and returns the tensor of ``shape`` that it stores."""
    output = tvm.runtime.tensor(np.full(stored_shape(shape), 99, np.uint8))
    compiled(func).jit()["main"](*[tvm.runtime.tensor(each) for each in args], output)
    return to_tensor(output.numpy(), shape)


def numbers(data: np.ndarray, term: Term) -> np.ndarray:
    """Returns what bytes stand for, in float64."""
    return (data.astype(np.float64) - term.zero) * term.scale


def rounded(steps: np.ndarray, stored: StoredRange) -> np.ndarray:
    """Returns the bytes of numbers in steps."""
    return np.clip(np.rint(steps) + stored.zero, stored.low, stored.high).astype(np.uint8)


def int8_layer(
    weight: np.ndarray,
    in_shape: tuple[int, int, int, int],
    *,
    stride: tuple[int, int] = (1, 1),
    dilation: tuple[int, int] = (1, 1),
    padding: tuple[int, int, int, int] = (0, 0, 0, 0),
    groups: int = 1,
    in_zero: int = 5,
    seed: int = 0,
    **store: object,
) -> Int8Layer:
    """A layer of this int8 weight, whose results mostly are not clipped.

    Args:
        padding: top, left, bottom, right.
        store: further options of ``Requantization``.
    """
    random = np.random.default_rng(seed)
    out_c, _, height, width = weight.shape
    sizes = [
        (extent + before + after - (taps - 1) * gap - 1) // step + 1
        for extent, before, after, taps, gap, step in zip(
            in_shape[2:], padding[:2], padding[2:], (height, width), dilation, stride, strict=True
        )
    ]
    kept = max(1.0, np.count_nonzero(weight) / out_c)
    scale = random.uniform(0.5, 1, out_c) * 60 / (127 * 128 * np.sqrt(kept) * 0.4)
    bias = random.integers(-2000, 2000, out_c) - in_zero * weight.astype(np.int64).sum((1, 2, 3))
    return Int8Layer(
        in_shape=in_shape,
        out_shape=(in_shape[0], out_c, sizes[0], sizes[1]),
        window=Window((height, width), stride, dilation, padding[:2]),
        groups=groups,
        weight=weight,
        bias=bias.astype(np.int32),
        in_zero=in_zero,
        store=Requantization(scale=scale.astype(np.float32), **{"zero": 100, **store}),
    )


def exact_layer(layer: Int8Layer, data: np.ndarray, other: np.ndarray | None = None) -> np.ndarray:
    """Returns the exact result (n, oc, height, width) uint8 for ``data`` (n, c, h, w) uint8."""
    sums = _sums(layer, data.astype(np.float64)) + layer.bias.reshape(1, -1, 1, 1)
    return requantized(layer.store, sums, other)


def requantized(
    store: Requantization, sums: np.ndarray, other: np.ndarray | None = None
) -> np.ndarray:
    """Returns the bytes of sums (n, oc, ...), in float32, as ONNX Runtime computes them."""
    scale = store.scale.reshape(1, -1, *[1] * (sums.ndim - 2))
    steps = sums.astype(np.int32).astype(np.float32) * scale
    residual = store.residual
    if residual is not None and other is not None:
        added = (other.astype(np.float32) - residual.zero) * np.float32(residual.scale)
        steps = np.clip(steps, residual.low, residual.high)
        if residual.own is not None:
            steps = np.rint(steps) * np.float32(residual.own)
        steps = steps + added
    steps = np.clip(steps, store.low - store.zero, store.high - store.zero)
    return (np.rint(steps) + store.zero).astype(np.uint8)


def _sums(layer: Int8Layer, data: np.ndarray) -> np.ndarray:
    """Sums of products (n, oc, height, width), exact in float64."""
    window, (batch, out_c, height, width) = layer.window, layer.out_shape
    (step_y, step_x), (gap_y, gap_x) = window.stride, window.dilation
    far = [  # padding enough for every tap of every output
        (before, max(0, (out - 1) * step + (taps - 1) * gap - before + 1 - extent))
        for before, out, step, taps, gap, extent in zip(
            window.padding, (height, width), window.stride, window.taps, window.dilation,
            layer.in_shape[2:], strict=True,
        )
    ]  # fmt: skip
    padded = np.pad(data, ((0, 0), (0, 0), *far), constant_values=layer.in_zero)
    in_c, out_of_group = layer.weight.shape[1], out_c // layer.groups
    sums = np.zeros((batch, out_c, height, width))
    for group in range(layer.groups):
        rows = slice(group * out_of_group, (group + 1) * out_of_group)
        planes = padded[:, group * in_c : (group + 1) * in_c]
        for ky, kx in np.ndindex(*window.taps):
            y, x = ky * gap_y, kx * gap_x
            tap = planes[
                :, :, y : y + (height - 1) * step_y + 1 : step_y,
                x : x + (width - 1) * step_x + 1 : step_x,
            ]  # fmt: skip
            weight = layer.weight[rows, :, ky, kx].astype(np.float64)
            sums[:, rows] += np.einsum("oc,nchw->nohw", weight, tap)
    return sums
