"""Samples of kernels for bytes."""

from __future__ import annotations

import numpy as np

from te_schedules.cpu.int8.flat_strip import FlatStrip
from te_schedules.cpu.int8.fully_connected import Int8Matrix, int8_fully_connected
from te_schedules.cpu.int8.layer import Int8Layer, Requantization
from te_schedules.cpu.int8.plain_instructions import plain
from te_schedules.cpu.int8.planes import stored_shape
from te_schedules.cpu.int8.strip_conv2d import strip_conv2d
from te_schedules.cpu.int8.strip_kernel import StripConv2d
from te_schedules.cpu.int8.tap_products import TapProducts
from te_schedules.cpu.int8.winograd_conv2d import winograd_conv2d
from te_schedules.cpu.int8.winograd_kernel import TileConv2d
from te_schedules.cpu.int8.winograd_schedule import TileSchedule
from te_schedules.cpu.int8.winograd_words import plain_words
from te_schedules.cpu.kernel_sample import SIZE, Sample, padded_windows
from te_schedules.window import Window
from tvm_patdnn.sparse.pack_quads import pack_taps

__all__ = ["sample_int8_conv2d", "sample_int8_fully_connected", "sample_int8_winograd"]

CHANNELS, FILTERS, INPUTS, OUTPUTS = 5, 6, 9, 37
ZERO, SCALE = 100, 1 / 256  # products with the scale are exact


def sample_int8_conv2d(lanes: int) -> Sample:
    """Samples 3x3 windows that reach over every edge, with instructions that all CPUs have."""
    layer, data, expected = _conv2d()
    strip = FlatStrip(layer=layer, instructions=plain(lanes, 16), rows=4)
    quads = pack_taps(layer.weight, 2)
    kernel = StripConv2d(products=TapProducts(quads=quads, strip=strip), tile=1)
    arguments = (data, *kernel.constants.values())
    return Sample(func=strip_conv2d(kernel), arguments=arguments, expected=expected)


def sample_int8_winograd(lanes: int) -> Sample:
    """Samples the same by transforms."""
    layer, data, expected = _conv2d()
    kernel = TileConv2d(
        layer=layer,
        instructions=plain(lanes, 16),
        words=plain_words(lanes, 16),
        schedule=TileSchedule(height=4, width=2, rows=2, group=4, together=2),
    )
    arguments = (data, *kernel.constants.values())
    return Sample(func=winograd_conv2d(kernel), arguments=arguments, expected=expected)


def _conv2d() -> tuple[Int8Layer, np.ndarray, np.ndarray]:
    """Returns a layer, what it is given and what it gives, as they are stored."""
    rng = np.random.default_rng(0)
    data = rng.integers(0, 256, (1, CHANNELS, *SIZE)).astype(np.uint8)
    kept = rng.random((FILTERS, CHANNELS, 3, 3)) < 0.5
    weight = (rng.integers(-127, 128, kept.shape) * kept).astype(np.int8)
    bias = rng.integers(-999, 999, FILTERS).astype(np.int32)
    layer = Int8Layer(
        in_shape=(1, CHANNELS, *SIZE),
        out_shape=(1, FILTERS, *SIZE),
        window=Window((3, 3), padding=(1, 1)),
        groups=1,
        weight=weight,
        bias=bias,
        in_zero=ZERO,
        store=Requantization(scale=np.full(FILTERS, SCALE, np.float32), zero=ZERO),
    )
    windows = padded_windows(data.astype(np.int64), 3, ZERO)
    sums = np.einsum("fcyx,nchwyx->nfhw", weight.astype(np.int64), windows)
    values = np.rint((sums + bias.reshape(-1, 1, 1)) * SCALE) + ZERO
    return layer, _stored(data), _stored(np.clip(values, 0, 255).astype(np.uint8))


def sample_int8_fully_connected(lanes: int) -> Sample:
    """Samples two rows, and outputs that no block divides."""
    rng = np.random.default_rng(0)
    data = rng.integers(0, 256, (2, INPUTS, 1, 1)).astype(np.uint8)
    weight = rng.integers(-127, 128, (OUTPUTS, INPUTS, 1, 1)).astype(np.int8)
    bias = rng.integers(-999, 999, OUTPUTS).astype(np.int32)
    layer = Int8Layer(
        in_shape=(2, INPUTS, 1, 1),
        out_shape=(2, OUTPUTS, 1, 1),
        window=Window((1, 1)),
        groups=1,
        weight=weight,
        bias=bias,
        in_zero=0,
        store=Requantization(scale=np.full(OUTPUTS, SCALE, np.float32), zero=ZERO),
    )
    matrix = Int8Matrix(layer=layer, instructions=plain(lanes, 16))
    sums = data[:, :, 0, 0].astype(np.int64) @ weight[:, :, 0, 0].astype(np.int64).T + bias
    stored = np.zeros(stored_shape(layer.out_shape), np.uint8)
    stored[:, 0, : matrix.blocks * matrix.block] = ZERO  # what pads the outputs to whole blocks
    stored[:, 0, :OUTPUTS] = np.clip(np.rint(sums * SCALE) + ZERO, 0, 255)
    return Sample(
        func=int8_fully_connected(matrix),
        arguments=(_stored(data[:, None, :, 0]), *matrix.constants.values()),
        expected=stored,
    )


def _stored(planes: np.ndarray) -> np.ndarray:
    """Stores (n, c, height, width) uint8, with zeros behind each plane."""
    stored = np.zeros(stored_shape(planes.shape), np.uint8)
    stored[:, :, : planes.shape[2] * planes.shape[3]] = planes.reshape(*planes.shape[:2], -1)
    return stored
