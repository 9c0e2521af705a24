from dataclasses import replace

import pytest

from relay_passes.gpu.choose_kernels import choose_kernel
from relay_passes.gpu.tuning_keys import gpu_conv2d_key
from te_schedules.gpu.conv2d_configuration import VERSION, GpuConv2dConfiguration
from te_schedules.gpu.kernel_table import pruned_weight
from tests.relay_passes.gpu.test_choose_kernels import gpu, layer
from tvm_patdnn.records.tuning_records import Record, Records

LAYER = layer(pruned_weight(64, 64, 4, 0.3), 28)
DEFAULT = choose_kernel(LAYER, gpu())


def recorded(of, seconds, **changes):
    sparse = of.candidate.kind != "dense"
    schedule = replace(of.schedule, **changes)
    return Record(
        key=gpu_conv2d_key(LAYER, gpu(), "float32"),
        version=VERSION,
        configuration=GpuConv2dConfiguration(
            sparse=sparse, group=of.candidate.group, schedule=schedule
        ),
        seconds=seconds,
    )


def test_a_layer_is_scheduled_as_measured():
    found = choose_kernel(
        LAYER, gpu(), records=Records([recorded(DEFAULT.chosen, 1e-5, window=16, splits=1)])
    )
    assert DEFAULT.schedule.window != 16
    assert found.schedule.window == found.kernel().schedule.window == 16
    assert found.reason.endswith("by the cost model; scheduled as measured")


@pytest.mark.parametrize(("seconds", "kind"), [(2e-5, "dense"), (1e-6, "pattern")])
def test_what_was_measured_decides_between_pattern_and_dense(seconds, kind):
    dense, pruned = DEFAULT.considered
    records = Records([recorded(dense, 1e-5), recorded(pruned, seconds)])
    found = choose_kernel(LAYER, gpu(), records=records)
    assert found.kind == kind
    assert "as measured" in found.reason


@pytest.mark.parametrize("changes", [{"lanes": 64}, {"window": 128}, {"warps": 64}])
def test_a_record_that_does_not_fit_is_passed_over(changes):
    found = choose_kernel(
        LAYER, gpu(), records=Records([recorded(DEFAULT.chosen, 1e-5, **changes)])
    )
    assert found.schedule == DEFAULT.schedule
    assert "measured" not in found.reason


@pytest.mark.parametrize("sparse", [False, True])
def test_what_is_decided_against_is_not_taken(sparse):
    dense, pruned = DEFAULT.considered
    other, refused = (dense, pruned) if sparse else (pruned, dense)
    against = replace(recorded(refused, 1.0), seconds=None, chosen=True)
    found = choose_kernel(LAYER, gpu(), records=Records([recorded(other, 1e-5), against]))
    assert found.kind == ("dense" if sparse else "pattern")
    assert "as measured" in found.reason
