from shutil import which

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import numpy_helper
from torch import nn
from torch.nn.utils import parametrizations, prune

from tests.training.tiny import example, plain_net, tiny_net
from tvm_patdnn.errors import TrainingError
from tvm_patdnn.pruning import PruneOptions
from tvm_patdnn.training import PatternPruner, PrunerConfig
from tvm_patdnn.training.wrapped_models import unwrapped

ONE_SHOT = PrunerConfig(method="oneshot")


def test_wrappers_are_taken_off(net):
    assert unwrapped(net) is net
    assert unwrapped(nn.DataParallel(net)) is net
    assert unwrapped(torch.compile(nn.DataParallel(net), backend="eager")) is net


@pytest.mark.parametrize(
    "wrap", [nn.DataParallel, lambda net: torch.compile(net, backend="aot_eager")]
)
def test_training_through_a_wrapper_trains_what_is_pruned(net, wrap, tmp_path):
    wrapper = wrap(net)
    pruner = PatternPruner(wrapper, ONE_SHOT, example=example())
    assert pruner.projection.names == PatternPruner(tiny_net()).projection.names
    optimizer = torch.optim.SGD(wrapper.parameters(), 0.1, momentum=0.9)
    pruner.step(0)
    before = net.inner[0].weight.detach().clone()
    for _ in range(2):
        optimizer.zero_grad()
        wrapper(example(4)).square().sum().backward()
        optimizer.step()
    summary = pruner.finalize()
    assert summary.compression_3x3 == pytest.approx(8.1, rel=0.02)
    assert not torch.equal(net.inner[0].weight, before)
    assert torch.equal(net.inner[0].weight == 0, before == 0)
    pruner.export_onnx(tmp_path / "net.onnx", example(1))


def test_distributed_training_keeps_the_zeros(net):
    distributed = torch.distributed
    distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)
    try:
        wrapper = nn.parallel.DistributedDataParallel(net)
        pruner = PatternPruner(wrapper, ONE_SHOT)
        pruner.step(0)
        removed = net.inner[0].weight == 0
        optimizer = torch.optim.SGD(wrapper.parameters(), 0.1, momentum=0.9)
        for _ in range(2):
            optimizer.zero_grad()
            wrapper(example(4)).square().sum().backward()
            optimizer.step()
    finally:
        distributed.destroy_process_group()
    assert torch.equal(net.inner[0].weight == 0, removed)
    assert not net.inner[0].weight.grad[removed].any()


@pytest.mark.parametrize(
    ("compute", "remedy"),
    [
        (parametrizations.weight_norm, "remove_parametrizations"),
        (nn.utils.weight_norm, "remove_weight_norm"),
        (nn.utils.spectral_norm, "prune.remove.* or remove_spectral_norm"),
        (lambda conv: prune.l1_unstructured(conv, "weight", 0.5), "prune.remove"),
    ],
)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_computed_weights_are_refused_with_the_remedy(net, compute, remedy):
    compute(net.inner[0])
    with pytest.raises(TrainingError, match=rf"inner.0.weight: is computed from .*{remedy}"):
        PatternPruner(net)
    skipped = PruneOptions(skip_layers=["inner.*"])
    pruner = PatternPruner(net, PrunerConfig(method="oneshot", prune=skipped))
    assert "inner.0" not in pruner.projection.names


def test_lazy_weights_are_refused_with_the_remedy():
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.LazyConv2d(8, 3))
    with pytest.raises(TrainingError, match="1.weight: has no shape yet; run one batch"):
        PatternPruner(net)
    net(example())
    assert PatternPruner(net).projection.names == ("1",)


def test_parts_of_weights_are_refused_with_the_remedy(net):
    net.inner[0].weight.device_mesh = "of DTensor"
    with pytest.raises(TrainingError, match=r"inner.0.weight: .*\(FSDP\).*DistributedDataParallel"):
        PatternPruner(net)


@pytest.mark.filterwarnings("ignore:finalize")
@pytest.mark.parametrize("method", ["admm", "gradual", "reweighted", "unstructured"])
def test_bfloat16(method, tmp_path):
    net = tiny_net().bfloat16()
    config = PrunerConfig(method=method, epochs=1, update_every=1)
    pruner = PatternPruner(net, config, example=example().bfloat16())
    pruner.step(0)
    (net(example().bfloat16()).square().sum() + pruner.penalty()).backward()
    torch.optim.SGD(net.parameters(), 0.01).step()
    summary = pruner.finalize()
    assert summary.compression_3x3 == pytest.approx(8.1, rel=0.02)
    assert net.inner[0].weight.dtype == torch.bfloat16
    pruner.export_onnx(tmp_path / "net.onnx", example(1).bfloat16())
    stored = {
        t.name: numpy_helper.to_array(t) for t in onnx.load(tmp_path / "net.onnx").graph.initializer
    }
    assert stored["inner.0.weight"].dtype == np.float32
    assert (stored["inner.0.weight"] == net.inner[0].weight.detach().float().numpy()).all()


class TwoInputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Conv2d(3, 8, 3), nn.Conv2d(3, 8, 3)
        self.last = nn.Conv2d(8, 8, 3)

    def forward(self, near, far):
        return self.last(self.left(near) + self.right(far[0]))


def test_several_inputs(tmp_path):
    net, values = TwoInputs(), (example(1), example(1).unsqueeze(0))
    pruner = PatternPruner(net, ONE_SHOT, example=values)
    pruner.step(0)
    assert pruner.finalize().dense_macs == 2 * 216 * 36 + 576 * 16
    pruner.export_onnx(tmp_path / "net.onnx", values)
    graph = onnx.load(tmp_path / "net.onnx").graph
    assert [value.name for value in graph.input] == ["near", "far"]


@pytest.mark.filterwarnings("ignore:finalize")
@pytest.mark.long
def test_training_with_the_compiler_of_torch(tmp_path):
    """With real code, for the network and for the steps: what was removed stays zero."""
    if which("g++") is None:
        pytest.skip("torch.compile needs a C++ compiler")
    net = plain_net()
    compiled = torch.compile(net)
    pruner = PatternPruner(compiled, PrunerConfig(epochs=2, update_every=1), example=example())
    optimizer = torch.optim.SGD(compiled.parameters(), 0.05, momentum=0.9, weight_decay=0.01)
    step = torch.compile(optimizer.step)
    for epoch in range(4):
        if epoch == 2:
            assert pruner.finalize().compression_3x3 == pytest.approx(8, rel=0.05)
        if epoch < 2:
            pruner.step(epoch)
        before = net[3].weight.detach().clone()
        optimizer.zero_grad()
        (compiled(example(4)).square().sum() + pruner.penalty()).backward()
        step()
        assert not torch.equal(net[3].weight, before)
    assert pruner.summary().compression_3x3 == pytest.approx(8, rel=0.05)
    pruner.export_onnx(tmp_path / "net.onnx", example(1))
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    with torch.no_grad():
        expected = net.eval()(example(1)).numpy()
    found = session.run(None, {"x": example(1).numpy()})[0]
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)


def test_a_model_whose_parts_are_compiled(net, tmp_path):
    """In place, and by a wrapper inside: it is exported as written, and stays compiled."""
    expected = net.eval()(example(1)).detach().numpy()
    net.compile(backend="aot_eager")
    net.outer = torch.compile(net.outer, backend="aot_eager")
    before = net._compiled_call_impl, net.outer.forward
    pruner = PatternPruner(net, ONE_SHOT, example=example())
    plain = PatternPruner(tiny_net(), ONE_SHOT, example=example())
    assert pruner.summary().dense_macs == plain.summary().dense_macs
    assert "outer._orig_mod.0" in pruner.projection.names
    pruner.keeper.set({})
    pruner.finalized = True
    pruner.export_onnx(tmp_path / "net.onnx", example(1))
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    found = session.run(None, {"x": example(1).numpy()})[0]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert (net._compiled_call_impl, net.outer.forward) == before
