from dataclasses import replace

from te_schedules.cpu.int8.winograd_cost import tile_cost
from tests.relay_passes.relax_modules import CPU
from tests.te_schedules.cpu.int8.instruction_samples import pruned_weight
from tests.te_schedules.cpu.int8.int8_reference import int8_layer
from tests.te_schedules.cpu.int8.tile_samples import tile_conv2d

ONE = replace(CPU, num_cores=1)
LAYER = int8_layer(pruned_weight(16, 32, 3, 3), (1, 32, 32, 32), padding=(1, 1, 1, 1))


def cost(cpu=ONE, layer=LAYER, **schedule: int) -> float:
    return tile_cost(tile_conv2d(layer, "avx2", **schedule), cpu)


def test_threads_without_work_do_not_help():
    two = replace(CPU, num_cores=2)
    assert cost(two) < cost()
    assert cost(two, rows=8) > 0.95 * cost(rows=8)
    assert cost(two, rows=8, chunks=2) < cost(two, rows=8)


def test_small_tiles_multiply_more():
    assert cost() < cost(rows=4, height=2) < cost(rows=4, height=2, width=2)


def test_weights_that_no_cache_holds_cost_more():
    assert cost(replace(ONE, l2_bytes=1024)) > cost()


def test_wasted_lanes_cost():
    narrow = int8_layer(LAYER.weight, (1, 32, 32, 16), padding=(1, 1, 1, 1))
    assert cost(layer=narrow, rows=1) > 0.7 * cost(rows=1)
