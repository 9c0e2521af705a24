import re
from collections.abc import Iterator

import numpy as np
import pytest
import tvm

from te_schedules.cpu.int8.choose_strips import TILES, products_of
from te_schedules.cpu.int8.instruction_sets import INSTRUCTION_SETS
from te_schedules.cpu.int8.patch_products import PatchProducts
from te_schedules.cpu.int8.strip_conv2d import strip_conv2d
from te_schedules.cpu.int8.strip_kernel import StripConv2d
from tests.te_schedules.cpu.int8.instruction_samples import pruned_weight, sample_layer
from tests.te_schedules.cpu.int8.int8_reference import int8_layer
from tvm_patdnn.bench.static_throughput import inner_loops
from tvm_patdnn.machine.targets import resolve_target

SPILLED = re.compile(r"\b(?:str|stp|ldr|ldp)\s+q.*\[sp\b")


def kernels(name: str, group: int = 1, **schedule: int) -> list[StripConv2d]:
    found = products_of(sample_layer(name), INSTRUCTION_SETS["avx2"], group)
    return [StripConv2d(products=each, **{"tile": 1, **schedule}) for each in found]


def test_tiles_cover_the_strip():
    for kernel in kernels("3x3, large", tile=2):
        assert (kernel.tiles - 1) * kernel.tile_pixels < kernel.strip.outputs
        assert kernel.tiles * kernel.tile_pixels >= kernel.strip.outputs


def test_a_tile_fits_if_its_sums_stay_in_registers():
    taps, *_ = kernels("3x3")
    assert taps.fits
    assert not kernels("3x3", group=4, tile=4)[0].fits


@pytest.mark.parametrize(("dots", "cpu"), [("neon", "cortex-a72"), ("dotprod", "cortex-a76")])
def test_the_largest_tile_that_fits_is_multiplied_in_registers(dots, cpu):
    layer = int8_layer(pruned_weight(4, 8, 3, 3), (1, 8, 28, 28), padding=(1, 1, 1, 1))
    *_, products = products_of(layer, INSTRUCTION_SETS[dots], 4)
    assert isinstance(products, PatchProducts)
    kernel = [*fitting(StripConv2d(products=products.with_rows(28), tile=1))][-1]
    target = resolve_target(f"llvm -mtriple=aarch64-linux-gnu -mcpu={cpu}")
    func = strip_conv2d(kernel).with_attr("global_symbol", "main")
    built = tvm.compile(tvm.IRModule({"main": func}), target=target)
    loop = max(inner_loops(built.mod.inspect_source("asm")), key=lambda loop: loop.multiply_adds)
    assert loop.multiply_adds == 4 * kernel.tile
    assert [line for line in loop.lines if SPILLED.search(line)] == []


def fitting(kernel: StripConv2d) -> Iterator[StripConv2d]:
    tiles = (StripConv2d(products=kernel.products, tile=tile) for tile in TILES)
    return (each for each in tiles if each.fits)


def test_what_is_stored_is_counted():
    for kernel in kernels("3x3", group=2, chunks=2):
        counts = kernel.counts
        assert counts.weight_bytes == kernel.constants["weight"].nbytes
        other = ("bias", "scale", "weight")
        rest = sum(each.nbytes for name, each in kernel.constants.items() if name not in other)
        assert counts.structure_bytes == rest


def test_what_is_multiplied_is_counted():
    (taps, cells, columns, patches) = kernels("3x3", group=2)
    for kernel, loads, vectors in ((taps, 4, 4), (cells, 1, 1), (columns, 1, 1), (patches, 1, 1)):
        times = kernel.products.quads.entries * kernel.tiles * kernel.strips * 2  # images
        assert kernel.counts.input_loads == times * loads
        assert kernel.counts.products == times * vectors * 2


def test_chunks_share_out_all_groups():
    for kernel in kernels("3x3", chunks=3):
        chunk = kernel.constants["chunk"]
        assert (chunk[0], chunk[-1], len(chunk)) == (0, 8, 4)
        assert np.all(np.diff(chunk) > 0)


def test_reports_say_how():
    taps, *_ = kernels("1x1")
    assert taps.reason == "any four taps of a filter's kernels at a time, by avx2"
    assert taps.schedule == {"rows": 1, "group": 1, "tile": 1, "chunks": 1}
