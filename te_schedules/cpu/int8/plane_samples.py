"""Samples of kernels that move bytes, or map them, and multiply nothing."""

from __future__ import annotations

import numpy as np
from tvm.tirx import PrimFunc

from te_schedules.cpu.int8.byte_code import StoredRange, Term
from te_schedules.cpu.int8.combine_planes import join_planes, sum_planes
from te_schedules.cpu.int8.convert_planes import (
    dequantize_planes,
    flatten_planes,
    plain_bytes,
    quantize_planes,
    stored_bytes,
)
from te_schedules.cpu.int8.enlarge_planes import enlarge_planes
from te_schedules.cpu.int8.look_up_planes import BYTES, look_up_planes
from te_schedules.cpu.int8.mean_of_planes import mean_of_planes
from te_schedules.cpu.int8.planes import stored_shape
from te_schedules.cpu.int8.pool_planes import (
    PoolPlanes,
    average_planes,
    max_planes,
    window_shares,
)
from te_schedules.cpu.kernel_sample import SIZE, Sample, padded_windows
from te_schedules.window import Window

__all__ = [
    "sample_average_planes",
    "sample_dequantize_planes",
    "sample_enlarge_planes",
    "sample_flatten_planes",
    "sample_join_planes",
    "sample_look_up_planes",
    "sample_max_planes",
    "sample_mean_of_planes",
    "sample_plain_bytes",
    "sample_quantize_planes",
    "sample_stored_bytes",
    "sample_sum_planes",
]

CHANNELS = 3
SHAPE = (1, CHANNELS, *SIZE)
STORED = StoredRange(zero=40, low=41, high=200)
TERM = Term(scale=0.3137, zero=100)
POOL = PoolPlanes(in_shape=SHAPE, out_shape=SHAPE, window=Window((3, 3), padding=(1, 1)))


def sample_quantize_planes(lanes: int) -> Sample:
    """Samples numbers that are mostly within the bounds."""
    numbers = (_bytes().astype(np.float32) - 128) / 4
    steps = numbers.astype(np.float64) / np.float32(0.3137)
    func = quantize_planes(SHAPE, 0.3137, STORED)
    return Sample(func=func, arguments=(_plain(numbers),), expected=_stored(_rounded(steps)))


def sample_dequantize_planes(lanes: int) -> Sample:
    """Samples bytes."""
    numbers = (_bytes().astype(np.float32) - TERM.zero) * np.float32(TERM.scale)
    return _of_bytes(dequantize_planes(SHAPE, TERM), _plain(numbers))


def sample_plain_bytes(lanes: int) -> Sample:
    """Samples int8."""
    expected = _plain(_bytes().astype(np.int16) - 128).astype(np.int8)
    return _of_bytes(plain_bytes(SHAPE, "int8"), expected)


def sample_stored_bytes(lanes: int) -> Sample:
    """Samples int8."""
    data = _plain(_bytes().astype(np.int16) - 128).astype(np.int8)
    func = stored_bytes(SHAPE, "int8")
    return Sample(func=func, arguments=(data,), expected=_stored(_bytes()))


def sample_flatten_planes(lanes: int) -> Sample:
    """Samples planes that no vector divides."""
    return _of_bytes(flatten_planes(SHAPE), _stored(_bytes().reshape(1, -1)))


def sample_look_up_planes(lanes: int) -> Sample:
    """Samples a table without order."""
    table = np.random.default_rng(1).integers(0, BYTES, BYTES).astype(np.uint8)
    arguments = (_stored(_bytes()), table)
    return Sample(
        func=look_up_planes(SHAPE), arguments=arguments, expected=_stored(table[_bytes()])
    )


def sample_sum_planes(lanes: int) -> Sample:
    """Samples a tensor with itself."""
    func, data = sum_planes(SHAPE, [TERM, TERM], STORED), _stored(_bytes())
    expected = _stored(_rounded(2 * _numbers()))
    return Sample(func=func, arguments=(data, data), expected=expected)


def sample_join_planes(lanes: int) -> Sample:
    """Samples a tensor that is copied, and one of another scale."""
    kept = Term(scale=1.0, zero=STORED.zero)
    stored = StoredRange(zero=STORED.zero)
    func, data = join_planes([SHAPE, SHAPE], [kept, TERM], stored), _stored(_bytes())
    both = np.concatenate([_bytes(), _rounded(_numbers(), stored)], axis=1)
    return Sample(func=func, arguments=(data, data), expected=_stored(both))


def sample_enlarge_planes(lanes: int) -> Sample:
    """Samples planes twice as large, of another scale."""
    larger = _rounded(_numbers()).repeat(2, axis=2).repeat(2, axis=3)
    return _of_bytes(enlarge_planes(SHAPE, 2, TERM, STORED), _stored(larger))


def sample_mean_of_planes(lanes: int) -> Sample:
    """Samples planes that no vector divides."""
    means = _rounded(_numbers().mean((2, 3)))
    return _of_bytes(mean_of_planes(SHAPE, TERM, STORED), _stored(means))


def sample_max_planes(lanes: int) -> Sample:
    """Samples windows that reach over every edge."""
    largest = padded_windows(_bytes(), 3).max((4, 5))
    expected = np.clip(largest, STORED.low, STORED.high)
    return _of_bytes(max_planes(POOL, STORED), _stored(expected))


def sample_average_planes(lanes: int) -> Sample:
    """Samples windows that reach over every edge, which does not count."""
    shares = [window_shares(POOL, axis, count_padding=False) for axis in (0, 1)]
    total = padded_windows(_numbers(), 3).sum((4, 5))
    counts = padded_windows(np.ones(SHAPE), 3).sum((4, 5))
    arguments = (_stored(_bytes()), *shares)
    expected = _stored(_rounded(total / counts))
    return Sample(func=average_planes(POOL, TERM, STORED), arguments=arguments, expected=expected)


def _of_bytes(func: PrimFunc, expected: np.ndarray) -> Sample:
    """Returns the sample of a kernel that takes the bytes."""
    return Sample(func=func, arguments=(_stored(_bytes()),), expected=expected)


def _bytes() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, SHAPE).astype(np.uint8)


def _numbers() -> np.ndarray:
    """Returns what the bytes stand for, in steps of the result."""
    return (_bytes().astype(np.float64) - TERM.zero) * TERM.scale


def _rounded(steps: np.ndarray, stored: StoredRange = STORED) -> np.ndarray:
    return np.clip(np.rint(steps) + stored.zero, stored.low, stored.high).astype(np.uint8)


def _plain(tensor: np.ndarray) -> np.ndarray:
    return tensor.reshape(1, CHANNELS, -1)


def _stored(tensor: np.ndarray) -> np.ndarray:
    """Stores (n, c, ...) uint8, with zeros behind each plane."""
    stored = np.zeros(stored_shape(tensor.shape), np.uint8)
    planes = tensor.reshape(*stored.shape[:2], -1)
    stored[:, :, : planes.shape[2]] = planes
    return stored
