from relay_passes.gpu.tuning_keys import gpu_conv2d_key
from te_schedules.gpu.kernel_table import pruned_weight
from tests.relay_passes.gpu.test_choose_kernels import gpu, layer


def test_a_key_tells_the_layer_the_storage_and_the_gpu():
    found = layer(pruned_weight(16, 16, 4), 14)
    key = gpu_conv2d_key(found, gpu("adreno"), "float32")
    assert (key.family, key.cpu, key.lanes) == ("gpu conv2d", "Adreno 640", 64)
    assert key.workload == found.workload
    others = [
        gpu_conv2d_key(found, gpu("adreno"), "float16"),
        gpu_conv2d_key(found, gpu("mali"), "float32"),
        gpu_conv2d_key(layer(pruned_weight(16, 16, 4), 15), gpu("adreno"), "float32"),
    ]
    assert len({key, *others}) == 4
