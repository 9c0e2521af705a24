import numpy as np
import pytest

from relay_passes.gpu.choose_kernels import choose_kernel
from relay_passes.recognition.analyze_convolutions import ConvLayer
from te_schedules.gpu.kernel_table import pruned_weight
from tvm_patdnn.machine.gpu_model import GpuModel
from tvm_patdnn.machine.targets import resolve_target
from tvm_patdnn.optimizations import Optimizations


def gpu(target: str = "cuda -arch=sm_80") -> GpuModel:
    return GpuModel.from_target(resolve_target(target))


def layer(weight: np.ndarray, size: int = 56, groups: int = 1) -> ConvLayer:
    filters, own, kernel, _ = weight.shape
    pad = kernel // 2
    return ConvLayer(
        name="conv",
        weight=weight,
        groups=groups,
        stride=(1, 1),
        dilation=(1, 1),
        padding=(pad, pad, pad, pad),
        in_shape=(1, own * groups, size, size),
        out_shape=(1, filters, size, size),
    )


def test_a_pruned_layer_is_computed_by_its_patterns():
    choice = choose_kernel(layer(pruned_weight(64, 64, 4, 0.3)), gpu())
    assert choice.kind == "pattern"
    assert choice.fkw.group in (2, 4)
    assert "in blocks of" in choice.reason
    assert "faster than dense by the cost model" in choice.reason
    assert choice.micros == min(each.micros for each in choice.considered)


def test_a_dense_layer_stays_dense():
    choice = choose_kernel(layer(pruned_weight(16, 16, kept=1.0, size=1)), gpu())
    assert (choice.kind, choice.reason) == ("dense", "nothing was pruned")


def test_sparse_kernels_can_be_switched_off():
    weight = pruned_weight(16, 16, 4)
    choice = choose_kernel(layer(weight), gpu(), optimizations=Optimizations(sparse=False))
    assert (choice.kind, choice.reason) == ("dense", "sparse kernels are switched off")
    np.testing.assert_array_equal(choice.fkw.unpack(), weight)


def test_a_layer_that_lost_little_is_computed_as_dense():
    weight = pruned_weight(64, 64, kept=1.0, size=1)
    weight[0, 0] = 0
    choice = choose_kernel(layer(weight), gpu())
    assert choice.kind == "dense"
    assert "below break-even" in choice.reason


def test_the_reason_tells_where_tensor_cores_would_win():
    weight = pruned_weight(512, 512, kept=0.9)
    found = layer(weight, 28)
    assert "2:4 sparsity" in choose_kernel(found, gpu("cuda -arch=sm_90")).reason
    assert "2:4" not in choose_kernel(found, gpu("opencl")).reason


@pytest.mark.parametrize("target", ["cuda -arch=sm_80", "cuda -arch=sm_90", "opencl", "metal"])
def test_every_convolution_gets_a_kernel(target):
    cases = [
        layer(pruned_weight(8, 1, kept=1.0), 14, groups=8),
        layer(pruned_weight(12, 4), 7, groups=3),
        layer(pruned_weight(5, 3, kept=0.0), 9),
        layer(pruned_weight(3, 3, kept=1.0, size=7), 33),
    ]
    for case in cases:
        choice = choose_kernel(case, gpu(target))
        kernel = choice.kernel()
        assert kernel.fkw.group == choice.chosen.candidate.group
        assert kernel.schedule.threads <= gpu(target).block_threads


def test_filters_of_a_grouped_convolution_stay_near_their_group():
    choice = choose_kernel(layer(pruned_weight(16, 4), 14, groups=4), gpu())
    order = choice.fkw.reorder[:: choice.fkw.group] // 4
    assert (np.abs(order.astype(int) - np.sort(order)) <= 1).all()
