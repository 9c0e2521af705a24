from dataclasses import replace

import numpy as np

from relay_passes.lanes.tuning_keys import conv2d_key
from te_schedules.cpu.lane_layout import Halo
from tests.relay_passes.recognition.conv_layers import layer_of
from tests.relay_passes.relax_modules import CPU
from tests.te_schedules.cpu.lane_kernels import ConvCase, pattern_weight

CASE = ConvCase(weight=pattern_weight(16, 8), size=(14, 14), lanes=CPU.lanes)


def key(case: ConvCase = CASE, cpu=CPU):
    return conv2d_key(layer_of(case), case.geometry(), cpu)


def test_a_key_says_what_a_measurement_depends_on():
    assert key().workload == (
        "in 1x8x14x14 out 1x16x14x14 kernel 3x3 stride 1x1 dilation 1x1 padding 1x1x1x1 groups 1 "
        "kept 45% patterns 6 taps 3 blocks 1"
    )
    assert key().layout.startswith("8x1 blocks of 2x14 halo 1,1,1,1 to 8x1 blocks of 2x14 halo 0")
    assert (key().lanes, key().threads, key().cpu) == (8, 2, "generic")


def test_blocks_of_filters_are_another_workload():
    weight = np.repeat(CASE.weight[::4] != 0, 4, axis=0) * np.float32(2)
    assert key(replace(CASE, weight=weight)).workload.endswith("blocks 4")


def test_another_layout_number_of_threads_or_cpu_is_another_key():
    others = [
        key(replace(CASE, halo=Halo(top=1))),
        key(cpu=replace(CPU, num_cores=4)),
        key(cpu=replace(CPU, name="znver4")),
    ]
    assert len({key(), *others}) == 4
