import pytest
import tvm
from tvm import relax

from relay_passes.lower_gpu_kernels import gpu_kernel_pipeline
from relay_passes.pipeline import PipelineOptions, lowering_passes, run_pipeline
from tests.gpu.opencl_modules import GPU, OPENCL, assert_same_on_opencl
from tests.relay_passes.relax_modules import CPU, Net, const, random_array
from tvm_patdnn.library.cuda_binary import binary_for_cuda

NETWORKS = {
    "reductions over threads": (
        (4, 300),
        lambda net, x: net(relax.op.nn.softmax(x, -1)),
    ),
    "matrices": ((40, 30), lambda net, x: net(relax.op.matmul(x, const(random_array(30, 50))))),
    "vectors": ((1, 96), lambda net, x: net(relax.op.matmul(x, const(random_array(96, 50))))),
    "conditions": (
        (1, 4, 20, 20),
        lambda net, x: net(relax.op.nn.avg_pool2d(x, (3, 3), (2, 2), (1, 1))),
    ),
}


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_kernels_compute_what_a_cpu_does(network):
    shape, body = network
    net = Net(shape)
    assert_same_on_opencl(net.module(lambda x: body(net, x)))


@pytest.mark.parametrize("kind", ["opencl", "cuda", "metal"])
def test_the_virtual_machine_gets_the_same_kernels(kind):
    net = Net((1, 3, 8, 8))
    mod = net.module(lambda x: net(relax.op.nn.relu(net.conv(x, random_array(4, 3, 3, 3)))))
    arch = {"arch": "sm_80"} if kind == "cuda" else {}
    target = tvm.target.Target({"kind": kind, **arch}, host=OPENCL.host)
    with target:
        mod = run_pipeline(mod, PipelineOptions(cpu=CPU, gpu=GPU))
    lowering = tvm.transform.Sequential(lowering_passes())
    pipelines = {"relax_pipeline": lowering, "tir_pipeline": gpu_kernel_pipeline()}
    with binary_for_cuda(target):
        built = relax.build(mod, target, **pipelines)
    (device,) = built.mod.imports[0].imports
    assert device.kind == kind
    assert "conv2d_kernel" in device.inspect_source()
