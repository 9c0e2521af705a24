import numpy as np

from te_schedules.cpu.int8.choose_strips import products_of
from te_schedules.cpu.int8.instruction_sets import INSTRUCTION_SETS
from te_schedules.cpu.int8.strip_kernel import StripConv2d
from tests.te_schedules.cpu.int8.instruction_samples import sample_layer


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
