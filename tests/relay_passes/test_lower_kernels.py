import numpy as np
import pytest
import tvm
from tvm import relax

from relay_passes.lower_kernels import kernel_pipeline
from relay_passes.pipeline import PipelineOptions, lowering_passes, run_pipeline
from tests.relay_passes.relax_modules import CPU, Net, random_array
from tvm_patdnn.machine.targets import resolve_target


def convolutions(net, x):
    y = net.conv(x, random_array(8, 3, 3, 3), padding=1)
    y = net(relax.op.nn.max_pool2d(net(relax.op.nn.relu(y)), (3, 3), (2, 2), (1, 1)))
    return net.conv(y, random_array(4, 8, 1, 1))


NETWORKS = {
    "kernels in lanes": ((1, 3, 17, 20), convolutions),
    "reductions with partial sums": ((64, 256), lambda net, x: net(relax.op.nn.softmax(x, -1))),
    "conditions": (
        (1, 4, 40, 40),
        lambda net, x: net(relax.op.nn.avg_pool2d(x, (3, 3), (2, 2), (1, 1))),
    ),
    "other types": (
        (8, 12),
        lambda net, x: net(relax.op.astype(net(relax.op.astype(x, "bfloat16")), "float32")),
    ),
    "integers": ((8, 1000), lambda net, x: net(relax.op.argmax(x, 1))),
}


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_kernels_compute_what_tvms_own_pipeline_makes_of_them(network):
    shape, body = network
    net = Net(shape)
    target = resolve_target()
    with target:
        mod = run_pipeline(net.module(lambda x: body(net, x)), PipelineOptions(cpu=CPU))
    data = tvm.runtime.tensor(random_array(*shape))
    results = []
    for pipeline in ("default", kernel_pipeline()):
        lowering = tvm.transform.Sequential(lowering_passes())
        built = relax.build(mod, target, relax_pipeline=lowering, tir_pipeline=pipeline)
        results.append(relax.VirtualMachine(built, tvm.cpu())["main"](data).numpy())
    assert np.isfinite(results[0]).all()
    np.testing.assert_array_equal(results[1], results[0])
