import copy
import gc
from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch.nn import functional as F

from tests.training.tiny import example, plain_net, tiny_net
from tvm_patdnn.errors import BuildError, PruningError, TrainingError
from tvm_patdnn.inspection import inspect
from tvm_patdnn.pruning import PruneOptions
from tvm_patdnn.training import PatternPruner, PrunerConfig
from tvm_patdnn.training.options import METHODS

# Short trainings end far from their patterns.
pytestmark = pytest.mark.filterwarnings("ignore:finalize")


def train(net, pruner, epochs, optimizer=None):
    optimizer = optimizer or torch.optim.SGD(net.parameters(), 0.05, 0.9, weight_decay=0.01)
    for epoch in range(epochs):
        if not pruner.finalized:
            pruner.step(epoch)
        for _ in range(2):
            loss = F.cross_entropy(net(example(4)), torch.tensor([0, 1, 2, 0])) + pruner.penalty()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return optimizer


@pytest.mark.parametrize("method", METHODS)
def test_the_whole_way(net, method, tmp_path):
    pruner = PatternPruner(
        net, PrunerConfig(method=method, epochs=3, update_every=1), example=example()
    )
    optimizer = train(net, pruner, 3)
    summary = pruner.finalize()
    train(net, pruner, 2, optimizer)
    assert pruner.summary() == summary
    if method == "dense":
        assert summary.compression_weights == summary.compression_macs == 1
    elif method != "filter":
        assert summary.compression_3x3 == pytest.approx(8.1, rel=0.02)
    pruner.export_onnx(tmp_path / "net.onnx", example(1))
    stored = onnx.load(tmp_path / "net.onnx")
    zeros = {t.name: (onnx.numpy_helper.to_array(t) == 0) for t in stored.graph.initializer}
    for name, mask in pruner.keeper.masks.items():
        assert (zeros[name] == ~mask.numpy()).all()


@pytest.mark.parametrize("grouping", ["neighbours", "similar"])
@pytest.mark.parametrize("method", ["admm", "gradual", "reweighted", "oneshot"])
def test_filters_of_a_block_keep_the_same_weights(net, method, grouping):
    options = PruneOptions(filter_block=2, filter_grouping=grouping)
    config = PrunerConfig(method=method, epochs=3, update_every=1, prune=options)
    pruner = PatternPruner(net, config, example=example())
    train(net, pruner, 3)
    assert pruner.finalize().compression_3x3 == pytest.approx(8.1, rel=0.1)
    orders = pruner.projection.blocks
    natural = [(blocks.order == range(len(blocks.order))).all() for blocks in orders.values()]
    assert all(natural) == (grouping == "neighbours")
    for name, mask in pruner.keeper.masks.items():
        kept = mask.numpy()[orders[name.removesuffix(".weight")].order]
        assert (kept[::2][: len(kept) // 2] == kept[1::2]).all()


def test_blocks_of_similar_filters_stay_those_of_the_start(net):
    """Also in a pruner that continues, whose weights have moved on."""
    options = PruneOptions(filter_block=2, filter_grouping="similar")
    config = PrunerConfig(epochs=3, update_every=1, prune=options)
    pruner = PatternPruner(net, config)
    orders = {name: blocks.order for name, blocks in pruner.projection.blocks.items()}
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(torch.randn_like(parameter))
    again = PatternPruner(net, config)
    found = again.projection.blocks
    assert any((blocks.order != orders[name]).any() for name, blocks in found.items())
    again.load_state_dict(pruner.state_dict())
    assert all((blocks.order == orders[name]).all() for name, blocks in found.items())


def test_the_exported_file_computes_the_same_and_is_inspected_the_same(net, tmp_path):
    pruner = PatternPruner(net, PrunerConfig(epochs=2, update_every=1), example=example())
    optimizer = train(net, pruner, 2)
    pruner.finalize()
    train(net, pruner, 2, optimizer)
    path = tmp_path / "net.onnx"
    pruner.export_onnx(path, example(1))
    assert net.training  # its mode is left as it was
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    images = example(1)
    with torch.no_grad():
        expected = net.eval()(images).numpy()
    np.testing.assert_allclose(session.run(["y"], {"x": images.numpy()})[0], expected, atol=1e-5)
    report, summary = inspect(path), pruner.summary()
    assert sum(layer.dense_macs for layer in report) == summary.dense_macs
    assert sum(layer.kept_macs for layer in report) == summary.kept_macs
    by_name = {layer.name: layer for layer in report}
    for layer in summary.layers:
        assert by_name[layer.name].compression == pytest.approx(layer.compression)
        assert by_name[layer.name].kept_kernels == layer.kept_kernels


def test_the_first_layer_and_depthwise_layers_are_left_alone(net):
    pruner = PatternPruner(net, PrunerConfig(method="oneshot"))
    reasons = {layer.name: layer.reason for layer in pruner.summary().layers}
    assert reasons["first.0"] == "first layer (see first_layer)"
    assert reasons["depthwise.0"] == "depthwise"
    pruned = PatternPruner(net, PrunerConfig(prune=PruneOptions(first_layer=True)))
    assert "first.0" in pruned.projection.names


def test_an_example_tells_which_layer_runs_first():
    net = torch.nn.ModuleDict({"late": torch.nn.Conv2d(4, 4, 3), "early": torch.nn.Conv2d(3, 4, 3)})
    net.forward = lambda x: net["late"](net["early"](x))
    assert PatternPruner(net, example=example()).projection.names == ("late",)
    assert PatternPruner(net).projection.names == ("early",)


@pytest.mark.parametrize("scope", ["layer", "global", "balanced"])
def test_connectivity_scopes(net, scope):
    options = PruneOptions(connectivity_scope=scope, connectivity_1x1=1.0)
    pruner = PatternPruner(net, PrunerConfig(method="oneshot", prune=options))
    pruner.step(0)
    per_filter = (net.inner[0].weight != 0).flatten(2).any(dim=2).sum(dim=1)
    assert (len(per_filter.unique()) == 1) == (scope == "balanced")
    summary = pruner.finalize()
    kernels = {layer.name: layer.kept_kernels / layer.kernels for layer in summary.layers}
    three = [kernels[f"{name}.0"] for name in ("second", "inner", "outer")]
    assert (max(three) - min(three) < 0.05) == (scope != "global")


def test_rates_by_hand(net):
    options = PruneOptions(per_layer={"inner.0": 2.0, "outer.0": 1.0})
    summary = PatternPruner(net, PrunerConfig(method="oneshot", prune=options)).finalize()
    kept = {layer.name: layer.kept_kernels for layer in summary.layers}
    assert (kept["inner.0"], kept["outer.0"]) == (128, 256)


def test_the_pattern_set_stays_that_of_the_start(net):
    pruner = PatternPruner(net, PrunerConfig(epochs=2, update_every=1))
    patterns = set(pruner.patterns[3, 3])
    train(net, pruner, 2)
    pruner.finalize()
    assert len(patterns) == 8
    assert set(pruner.pattern_counts()) <= patterns
    assert sum(pruner.pattern_counts().values()) == 36 + 71 + 71


def test_other_kernel_sizes_may_have_patterns():
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 5), torch.nn.Conv2d(8, 8, 5))
    options = PruneOptions(patterns=4, entries=9, pattern_kernels=frozenset({(5, 5)}))
    summary = PatternPruner(net, PrunerConfig(method="oneshot", prune=options)).finalize()
    assert summary.layers[1].compression == pytest.approx(25 / 9 * 3.6, rel=0.05)
    assert summary.layers[1].patterns <= 4


@pytest.mark.parametrize("method", METHODS)
def test_state_round_trip(method):
    """A run that is stored and taken up again goes on as if it had not been."""
    nets = [tiny_net() for _ in range(2)]
    nets[1].load_state_dict(nets[0].state_dict())
    config = PrunerConfig(method=method, epochs=4, update_every=1)
    first, second = (PatternPruner(net, config, example=example()) for net in nets)
    with torch.random.fork_rng(devices=[]):
        train(nets[0], first, 2)
    nets[1].load_state_dict(nets[0].state_dict())
    second.load_state_dict(first.state_dict())
    assert second.log == first.log
    for net, pruner in zip(nets, (first, second)):
        torch.manual_seed(3)
        pruner.step(2)
        train(net, pruner, 3)
        pruner.finalize()
    for name, value in nets[0].state_dict().items():
        assert torch.equal(value, nets[1].state_dict()[name]), name
    stored = second.state_dict()
    third = PatternPruner(nets[1], config, example=example())
    third.load_state_dict(stored)
    assert third.finalized


def test_a_state_of_another_method(net):
    stored = PatternPruner(net, PrunerConfig(method="dense")).state_dict()
    with pytest.raises(TrainingError, match="is of method 'dense', this run's is 'admm'"):
        PatternPruner(net).load_state_dict(stored)


def test_penalties_end_with_the_pruning_phase(net):
    pruner = PatternPruner(net)
    assert pruner.penalty().item() > 0
    pruner.finalize()
    assert pruner.penalty().item() == 0
    with pytest.raises(TrainingError, match="step: the network is finalized"):
        pruner.step(0)


def test_finalize_twice_is_once(net):
    pruner = PatternPruner(net)
    first = pruner.finalize()
    assert pruner.finalize() == first


def test_export_before_finalize(net, tmp_path):
    with pytest.raises(TrainingError, match="export_onnx: nothing is removed.*call finalize"):
        PatternPruner(net).export_onnx(tmp_path / "net.onnx", example(1))
    assert not list(tmp_path.glob("*.onnx"))


def test_export_where_it_cannot_be_written(net, tmp_path):
    pruner = PatternPruner(net)
    pruner.finalize()
    with pytest.raises(BuildError, match="cannot be written"):
        pruner.export_onnx(tmp_path / "missing" / "net.onnx", example(1))


def test_nothing_to_prune():
    with pytest.raises(PruningError, match="nothing to prune in this network.*no convolution"):
        PatternPruner(torch.nn.Linear(3, 3))
    with pytest.raises(PruningError, match="nothing to prune .*0: first layer"):
        PatternPruner(torch.nn.Sequential(torch.nn.Conv2d(3, 3, 3)))


def test_an_unknown_layer(net):
    options = PruneOptions(skip_layers=["inner"])
    with pytest.raises(PruningError, match="skip_layers: the model has no convolution 'inner'"):
        PatternPruner(net, PrunerConfig(prune=options))


def test_a_shared_weight_is_left_alone():
    net = plain_net()
    net.twin = torch.nn.Linear(2, 2)
    net.twin.weight = net[3].weight
    reasons = {
        x.name: x.reason
        for x in PatternPruner(
            net, PrunerConfig(method="oneshot", prune=PruneOptions(first_layer=True))
        )
        .summary()
        .layers
    }
    assert reasons["3"] == "its weight is also used by twin.weight"


def test_without_an_example_products_are_not_counted(net):
    assert PatternPruner(net).summary().compression_macs is None
    assert "multiply" not in str(PatternPruner(net).summary())
    assert "multiply" in str(PatternPruner(net, example=example()).summary())


def test_a_pruner_that_is_gone_leaves_no_trace():
    net = tiny_net()
    pruner = PatternPruner(net, replace(PrunerConfig(), method="oneshot"))
    pruner.step(0)
    del pruner
    gc.collect()
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    net(example()).sum().backward()
    optimizer.step()
    assert (net.inner[0].weight != 0).float().mean() > 0.9


def test_all_patterns(net):
    options = PruneOptions(patterns="all", connectivity=1.0)
    pruner = PatternPruner(net, PrunerConfig(method="oneshot", prune=options))
    pruner.step(0)
    summary = pruner.finalize()
    assert len(pruner.patterns[3, 3]) == 56
    assert summary.compression_3x3 == pytest.approx(2.25)
    assert "stored in fp32 as 16 patterns with zeros" in str(summary)


@pytest.mark.parametrize("method", METHODS)
def test_frozen_layers_stay_as_they_are(net, method):
    net.pointwise.requires_grad_(False)
    before = [value.detach().clone() for value in net.pointwise.parameters()]
    prune = PruneOptions(connectivity=1.5)
    config = PrunerConfig(method=method, epochs=2, update_every=1, prune=prune)
    pruner = PatternPruner(net, config)
    train(net, pruner, 2)
    summary = pruner.finalize()
    train(net, pruner, 1)
    assert {x.name: x.reason for x in summary.layers}[
        "pointwise.0"
    ] == "frozen (requires_grad is False)"
    assert all(map(torch.equal, net.pointwise.parameters(), before))
    assert method == "dense" or any(not m.all() for m in pruner.keeper.masks.values())


def test_a_network_that_is_frozen_as_a_whole(net):
    with pytest.raises(PruningError, match="nothing to prune .*second.0: frozen"):
        PatternPruner(net.requires_grad_(False))


def test_layers_may_freeze_later(net):
    pruner = PatternPruner(net, PrunerConfig(method="gradual", epochs=2, update_every=1))
    train(net, pruner, 1)
    net.inner.requires_grad_(False)
    train(net, pruner, 1)
    assert pruner.finalize().compression_3x3 == pytest.approx(8.1, rel=0.02)
    net.inner.requires_grad_(True)
    train(net, pruner, 2)
    assert pruner.summary().compression_3x3 == pytest.approx(8.1, rel=0.02)


def test_filter_pruning_leaves_tables_alone():
    net = torch.nn.Sequential(
        *(torch.nn.Conv2d(3, 8, 3), torch.nn.Conv2d(8, 16, 3), torch.nn.Conv2d(16, 16, 1)),
        torch.nn.Conv2d(16, 1, 1, bias=False),
    )
    with torch.no_grad():
        net[3].weight.copy_(torch.arange(16.0).reshape(1, 16, 1, 1))
    pruner = PatternPruner(net, PrunerConfig(method="filter", prune=PruneOptions(connectivity=2.0)))
    pruner.finalize()
    assert "3.weight" not in pruner.keeper.masks
    assert set(pruner.keeper.masks) >= {"0.weight", "1.weight"}


@pytest.mark.parametrize(("method", "setting"), [("admm", "rho"), ("reweighted", "strength")])
def test_weights_far_from_their_patterns_are_a_warning(net, method, setting):
    pruner = PatternPruner(net, PrunerConfig(method=method))
    with pytest.warns(UserWarning, match=f"still far .*takes 8.% of their norm; raise {setting}"):
        pruner.finalize()


@pytest.mark.parametrize("method", ["admm", "oneshot"])
def test_weights_that_are_near_or_were_not_drawn_are_none(net, method, recwarn):
    pruner = PatternPruner(net, PrunerConfig(method=method))
    if method == "admm":
        with torch.no_grad():
            for name, mask in pruner.method.project().items():
                net.get_parameter(name).mul_(torch.where(mask, 1, 0.05))
    pruner.finalize()
    assert not [w for w in recwarn if "finalize" in str(w.message)]


def test_a_file_between_two_programs(net, tmp_path):
    """As docs/pruning-your-network.md has it: only plain values, read with weights_only."""
    config = PrunerConfig(epochs=4, update_every=1)
    pruner = PatternPruner(net, config)
    optimizer = train(net, pruner, 2)
    parts = {"model": net, "pruner": pruner, "optimizer": optimizer}
    torch.save({k: v.state_dict() for k, v in parts.items()}, tmp_path / "run.pt")
    other = tiny_net()
    stored = torch.load(tmp_path / "run.pt", weights_only=True)
    other.load_state_dict(stored["model"])
    again = PatternPruner(other, config)
    again.load_state_dict(stored["pruner"])
    assert again.penalty() == pruner.penalty()
    assert again.patterns == pruner.patterns


def test_a_state_of_other_layers(net):
    stored = PatternPruner(net).state_dict()
    net.inner.requires_grad_(False)
    with pytest.raises(TrainingError, match="state prunes second.0, inner.0,.*same layers frozen"):
        PatternPruner(net).load_state_dict(stored)


def test_removal_leaves_the_model_as_if_there_had_been_no_pruner(net, tmp_path):
    names = list(net.state_dict())
    pruner = PatternPruner(net, PrunerConfig(method="oneshot"))
    with pytest.raises(TrainingError, match=r"remove: .*call finalize\(\)"):
        pruner.remove()
    pruner.finalize()
    pruner.remove()
    pruner.remove()
    assert list(net.state_dict()) == names
    assert not net.inner[0].weight._post_accumulate_grad_hooks
    assert (net.inner[0].weight == 0).float().mean() > 0.8
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    net(example()).square().sum().backward()
    optimizer.step()
    assert (net.inner[0].weight != 0).float().mean() > 0.9


def test_a_file_that_is_not_pruned_is_a_warning(net, tmp_path, recwarn):
    pruner = PatternPruner(net, PrunerConfig(method="oneshot"))
    pruner.finalize()
    pruner.remove()
    pruner.export_onnx(tmp_path / "net.onnx", example(1))
    assert not [w for w in recwarn if "export_onnx" in str(w.message)]
    with torch.no_grad():
        net.inner[0].weight.add_(0.5)
    with pytest.warns(UserWarning, match=r"since remove\(\), to 0.9. of .*export before remove"):
        pruner.export_onnx(tmp_path / "net.onnx", example(1))


def test_a_state_of_before_the_pruning_is_a_warning(net, tmp_path):
    dense = copy.deepcopy(net.state_dict())
    pruner = PatternPruner(net, PrunerConfig(method="oneshot"))
    pruner.finalize()
    net.load_state_dict(dense)
    with pytest.warns(UserWarning, match="there again, 8.% of .*load one of after finalize"):
        pruner.export_onnx(tmp_path / "net.onnx", example(1))
    assert (net.inner[0].weight == 0).float().mean() > 0.8


@pytest.mark.parametrize("method", METHODS)
def test_the_plan_is_shown_until_it_is_carried_out(net, method):
    config = PrunerConfig(method=method, epochs=2, update_every=1)
    pruner = PatternPruner(net, config, example=example())
    before = [value.detach().clone() for value in net.parameters()]
    summary = pruner.summary()
    assert all(map(torch.equal, net.parameters(), before))
    assert summary.compression_weights == 1
    assert str(summary).startswith("what will be left, judged by the weights as they are:\nlayer")
    assert str(summary).endswith("so far: 1.00x")
    assert pruner.finalize() == summary.plan
    assert "so far" not in str(pruner.summary())


def test_a_plan_decides_nothing(net):
    pruner = PatternPruner(net, PrunerConfig(method="oneshot"))
    pruner.summary()
    with torch.no_grad():
        net.inner[0].weight.copy_(net.inner[0].weight.flip(0))
    fresh = PatternPruner(copy.deepcopy(net), PrunerConfig(method="oneshot"))
    fresh.projection.patterns.update(pruner.patterns)
    for each in (pruner, fresh):
        each.finalize()
    masks = pruner.keeper.masks, fresh.keeper.masks
    assert all(torch.equal(mask, masks[1][name]) for name, mask in masks[0].items())


def test_a_copy_has_the_zeros_of_its_moment_and_keeps_them_with_a_pruner_of_its_own(net):
    config = PrunerConfig(method="oneshot")
    pruner = PatternPruner(net, config)
    pruner.finalize()
    twin = copy.deepcopy(net)
    assert torch.equal(twin.inner[0].weight, net.inner[0].weight)
    keeper = PatternPruner(twin, config)
    keeper.load_state_dict(pruner.state_dict())
    train(twin, keeper, 1)
    assert torch.equal(twin.inner[0].weight == 0, net.inner[0].weight == 0)
    with torch.no_grad():
        twin.inner[0].weight.fill_(1)
    keeper.remove()
    train(twin, keeper, 1)
    assert (twin.inner[0].weight == 0).float().mean() < 0.1
