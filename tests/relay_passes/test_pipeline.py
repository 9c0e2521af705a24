import json

import numpy as np
import tvm
from tvm import relax

from relay_passes.pipeline import (
    PipelineOptions,
    canonical_passes,
    kernel_passes,
    lowering_passes,
    run_pipeline,
)
from relay_passes.relax_ir.reported_layers import LAYERS_ATTRIBUTE
from tests.relay_passes.relax_modules import CPU, Net, const, operators, random_array, run_module
from tvm_patdnn.machine.targets import resolve_target

SHAPE = (1, 3, 9, 9)


def network() -> tvm.IRModule:
    """Convolution, batch norm, ReLU, mean, a matrix product and softmax."""
    net = Net(SHAPE)

    def body(x):
        x = net.conv(x, random_array(4, 3, 3, 3), padding=1)
        statistics = [relax.const(random_array(4, seed=n) ** 2 + 1) for n in range(4)]
        x = net(net(relax.op.nn.batch_norm(x, *statistics, axis=1, training=False))[0])
        x = net(relax.op.nn.relu(x))
        x = net(relax.op.mean(x, axis=[2, 3]))
        bias = net(relax.op.reshape(const(np.ones(5)), (1, 5)))
        x = net(relax.op.add(net(relax.op.matmul(x, relax.const(random_array(4, 5)))), bias))
        return net(relax.op.nn.softmax(x))

    return net.module(body)


def names(passes) -> list[str]:
    return [str(each.info.name) for each in passes]


def test_constants_and_batch_norm_are_folded_before_kernels_are_chosen():
    canonical = names(canonical_passes())
    assert canonical.index("FoldConstantViews") < canonical.index("RaiseElementwise")
    assert canonical[-2:] == ["FoldBatchNorm", "DeadCodeElimination"]
    kernels = names(kernel_passes(PipelineOptions(cpu=CPU)))
    assert kernels[:2] == ["RewriteToLanes", "RewriteFullyConnected"]


def test_a_network_becomes_kernels_and_keeps_its_numbers():
    mod = network()
    before = tvm.ir.load_json(tvm.ir.save_json(mod))
    with resolve_target():
        new = run_pipeline(mod, PipelineOptions(cpu=CPU))
    tvm.ir.assert_structural_equal(mod, before, map_free_vars=True)
    called = operators(new)
    for kernel in ("dense_conv2d", "global_average_pool", "fully_connected"):
        assert called.count(kernel) == 1
    assert not {"conv2d", "batch_norm", "matmul", "add", "nn.relu"} & set(called)
    assert len(json.loads(new.attrs[LAYERS_ATTRIBUTE])) == 1
    data = random_array(*SHAPE)
    lowered = relax.build(
        new, resolve_target(), relax_pipeline=tvm.transform.Sequential(lowering_passes())
    )
    got = relax.VirtualMachine(lowered, tvm.cpu())["main"](tvm.runtime.tensor(data)).numpy()
    np.testing.assert_allclose(got, run_module(mod, data)[0], rtol=1e-4, atol=1e-5)


def test_phases_are_announced_and_modules_dumped(tmp_path):
    heard: list[str] = []
    folder = tmp_path / "new" / "dump"
    with resolve_target():
        run_pipeline(network(), PipelineOptions(cpu=CPU, dump=folder), heard.append)
    assert heard == ["canonical form", "our kernels", "the rest"]
    files = sorted(path.name for path in folder.iterdir())
    assert files[0] == "01-FoldConstantViews.py"
    assert [int(name[:2]) for name in files] == list(range(1, len(files) + 1))
    assert names(kernel_passes(PipelineOptions(cpu=CPU)))[0] in "".join(files)
    last = (folder / files[-1]).read_text()
    assert "dense_conv2d" in last
    assert "def main" in last


def test_nothing_is_dumped_unless_asked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with resolve_target():
        run_pipeline(network(), PipelineOptions(cpu=CPU))
    assert list(tmp_path.iterdir()) == []


def test_a_network_without_layers_of_ours():
    net = Net((2, 3))
    mod = net.module(lambda x: net(relax.op.nn.softmax(x)))
    with resolve_target():
        new = run_pipeline(mod, PipelineOptions(cpu=CPU))
    assert json.loads(new.attrs[LAYERS_ATTRIBUTE]) == []
    data = random_array(2, 3)
    np.testing.assert_allclose(run_module(new, data)[0], run_module(mod, data)[0], rtol=1e-5)
