import numpy as np
import tvm

from te_schedules.cpu.int8.choose_strips import products_of
from te_schedules.cpu.int8.instruction_sets import INSTRUCTION_SETS
from te_schedules.cpu.int8.strip_conv2d import strip_conv2d
from te_schedules.cpu.int8.strip_kernel import StripConv2d
from te_schedules.cpu.int8.tap_products import TapProducts
from tests.te_schedules.cpu.int8.instruction_samples import sample_layer
from tvm_patdnn.bench.static_throughput import inner_loops
from tvm_patdnn.machine.targets import resolve_target


def products(name: str, instructions: str = "avx2") -> TapProducts:
    found = products_of(sample_layer(name), INSTRUCTION_SETS[instructions], 1)
    return next(each for each in found if isinstance(each, TapProducts))


def test_lanes_are_put_in_the_order_of_pixels():
    made = products("1x1")
    pixel = made.strip.instructions.pixel
    assert [pixel(lane // 8, lane % 8) for lane in made.order] == [*range(32)]


def test_a_tap_is_stored_as_its_number_unless_there_is_one():
    assert [*products("1x1").constants] == ["channel"]
    made = products("5x3, all else")
    assert [*made.constants] == ["channel", "tap", "place"]
    places = [made.strip.tap(y, x) for y, x in np.ndindex(5, 3)]
    assert made.constants["place"].tolist() == places
    assert made.constants["tap"].max() < 15


def test_what_entries_read_is_stored_tap_by_tap():
    made = products("1x1")
    stored = made.constants["channel"].reshape(4, made.quads.entries)
    assert np.array_equal(stored, made.quads.index.T)


def test_addresses_are_computed_one_by_one():
    kernel = StripConv2d(products=products("1x1").with_rows(99), tile=1)
    assert kernel.strip.channel_bytes == 3 * 64  # no shift
    func = strip_conv2d(kernel).with_attr("global_symbol", "main")
    target = resolve_target("x86-64-v3")
    assembly = tvm.compile(tvm.IRModule({"main": func}), target=target).mod.inspect_source("asm")
    loop = max(inner_loops(assembly), key=lambda loop: loop.multiply_adds)
    assert loop.multiply_adds == 4
    assert [line for line in loop.lines if "vpextr" in line or "vmovd" in line.split()] == []


def test_other_strips_keep_the_weights():
    made = products("3x3")
    other = made.with_rows(5)
    assert other.strip.rows == 5
    assert other.quads is made.quads
