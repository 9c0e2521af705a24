"""Kernels for bytes give exact sums on emulated devices, with each set of instructions."""

from __future__ import annotations

import numpy as np
import pytest

from te_schedules.cpu.int8.choose_strips import products_of
from te_schedules.cpu.int8.fully_connected import Int8Matrix, int8_fully_connected
from te_schedules.cpu.int8.instruction_sets import INSTRUCTION_SETS
from te_schedules.cpu.int8.layer import Int8Layer
from te_schedules.cpu.int8.planes import stored_shape
from te_schedules.cpu.int8.strip_conv2d import strip_conv2d
from te_schedules.cpu.int8.strip_kernel import StripConv2d
from te_schedules.cpu.int8.winograd_conv2d import winograd_conv2d
from tests.te_schedules.cpu.int8.emulated_kernel import run_emulated
from tests.te_schedules.cpu.int8.instruction_samples import pruned_weight, sample_layer
from tests.te_schedules.cpu.int8.int8_reference import (
    exact_layer,
    int8_layer,
    random_bytes,
    to_stored,
    to_tensor,
)
from tests.te_schedules.cpu.int8.tile_samples import tile_conv2d

DEVICES = {
    "neon": ("raspberry-pi-4", "cortex-a72"),
    "dotprod": ("raspberry-pi-5", "cortex-a76"),
    "i8mm": ("llvm -mtriple=aarch64-linux-gnu -mcpu=neoverse-v1", "max"),
}
SAMPLES = [
    "3x3, residual",
    "7x7, stride 2",
    *(pytest.param(name, marks=pytest.mark.long) for name in ("3x3, large", "1x1", "depthwise")),
]


def assert_exact(func, constants, layer: Int8Layer, name: str, folder) -> None:
    data, other = random_bytes(*layer.in_shape), random_bytes(*layer.out_shape, seed=1)
    args = [to_stored(data), *constants.values()]
    args += [to_stored(other)] if layer.store.residual else []
    output = np.zeros(stored_shape(layer.out_shape), np.uint8)
    found = run_emulated(func, args, output, *DEVICES[name], folder)
    expected = exact_layer(layer, data, other)
    np.testing.assert_array_equal(to_tensor(found, layer.out_shape), expected)


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("name", DEVICES)
def test_convolutions_are_exact(name, sample, tmp_path):
    layer = sample_layer(sample)
    group = 1 if layer.groups > 1 else 2
    for products in products_of(layer, INSTRUCTION_SETS[name], group):
        kernel = StripConv2d(products=products.with_rows(4), tile=2)
        assert_exact(strip_conv2d(kernel), kernel.constants, layer, name, tmp_path)


@pytest.mark.parametrize("name", [name for name in DEVICES if name != "i8mm"])
def test_convolutions_by_transforms_are_exact(name, tmp_path):
    kernel = tile_conv2d(sample_layer("3x3, residual"), name, together=3, chunks=2)
    assert_exact(winograd_conv2d(kernel), kernel.constants, kernel.layer, name, tmp_path)


@pytest.mark.parametrize("name", DEVICES)
def test_matrices_are_exact(name, tmp_path):
    layer = int8_layer(pruned_weight(40, 30, 1, 1), (2, 30, 1, 1))
    matrix = Int8Matrix(layer=layer, instructions=INSTRUCTION_SETS[name])
    assert_exact(int8_fully_connected(matrix), matrix.constants, layer, name, tmp_path)
