from relay_passes.gpu.choose_kernels import choose_kernel
from tests.gpu.opencl_modules import GPU
from tests.relay_passes.lanes.conv_layers import layer_of
from tests.te_schedules.cpu.lane_kernels import ConvCase, pattern_weight


def test_the_kernel_is_that_of_the_layer():
    layer = layer_of(ConvCase(weight=pattern_weight(6, 4, ["##./##./..."], 0.5), size=(8, 10)))
    choice = choose_kernel(layer, GPU, storage="float32")
    assert choice.layer is layer
    assert choice.kernel().geometry.out_shape == layer.out_shape
