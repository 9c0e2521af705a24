from dataclasses import replace

from te_schedules.cpu.int8.strip_cost import strip_cost
from tests.relay_passes.relax_modules import CPU
from tests.te_schedules.cpu.int8.test_strip_kernel import kernels

ONE = replace(CPU, num_cores=1)


def test_threads_without_work_do_not_help():
    (kernel, *_) = kernels("3x3, large")
    whole = replace(kernel, products=kernel.products.with_rows(13))
    four = replace(CPU, num_cores=4)
    assert strip_cost(whole, four) < strip_cost(whole, ONE)  # two images
    assert strip_cost(replace(whole, chunks=2), four) < strip_cost(whole, four)


def test_inputs_that_no_cache_holds_cost_more():
    (kernel, *_) = kernels("3x3, large")
    small = replace(ONE, l1_bytes=256, l2_bytes=512)
    assert strip_cost(kernel, small) > strip_cost(kernel, ONE)


def test_wasted_lanes_cost():
    (kernel, *_) = kernels("1x1")
    assert strip_cost(replace(kernel, tile=8), ONE) > strip_cost(kernel, ONE)
