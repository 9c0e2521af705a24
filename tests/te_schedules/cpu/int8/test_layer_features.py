import math
from dataclasses import replace

from te_schedules.cpu.int8.layer_features import layer_sizes, logarithms
from tests.relay_passes.relax_modules import CPU
from tests.te_schedules.cpu.int8.instruction_samples import sample_layer


def test_tasks_that_do_not_divide_leave_cores_idle():
    cpu = replace(CPU, num_cores=4)
    idle = [layer_sizes(sample_layer("3x3"), cpu, tasks=n, held=1)["idle"] for n in (8, 6, 1)]
    assert idle == [1, 8 / 6, 4]


def test_sizes_are_those_of_the_layer():
    layer = sample_layer("3x3")
    sizes = layer_sizes(layer, CPU, tasks=2, held=100)
    assert sizes["window"] == 9
    assert (sizes["in channels"], sizes["filters"]) == (layer.in_shape[1], layer.out_shape[1])
    assert sizes["strip by L1"] == 100 / CPU.l1_room


def test_a_factor_is_the_same_difference_everywhere():
    found = logarithms({"few": 1 << 10, "more": 1 << 11, "none": 0})
    assert found["none"] == 0
    assert math.isclose(found["more"] - found["few"], 1, abs_tol=1e-3)
