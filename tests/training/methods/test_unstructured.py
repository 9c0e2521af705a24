import pytest
import torch

from tvm_patdnn.pruning import PruneOptions
from tvm_patdnn.training.methods.unstructured import Unstructured, strongest
from tvm_patdnn.training.options import PrunerConfig
from tvm_patdnn.training.projection import NetworkProjection


def make(net, scope="layer"):
    options = PruneOptions(connectivity_scope=scope)
    config = PrunerConfig(method="unstructured", prune=options, epochs=5, update_every=2)
    return Unstructured(net, NetworkProjection.of_model(net, options), config)


def test_strongest_over_several():
    masks = strongest([torch.tensor([1.0, -5.0]), torch.tensor([[2.0], [-3.0]])], 2)
    assert [mask.tolist() for mask in masks] == [[False, True], [[False], [True]]]


def test_it_keeps_as_many_weights_as_patterns_and_connectivity(net):
    method = make(net)
    expected = method.projection.kept_counts(method.weights)
    found = [int(mask.sum()) for mask in method.final_masks().values()]
    assert found == expected
    mask = method.final_masks()["inner.0.weight"]
    weight = net.inner[0].weight.detach().abs()
    assert weight[mask].min() >= weight[~mask].max()


def test_globally_layers_compete(net):
    with torch.no_grad():
        net.inner[0].weight.mul_(100)
    method = make(net, "global")
    total = sum(method.projection.kept_counts(method.weights))
    masks = method.final_masks()
    assert sum(int(mask.sum()) for mask in masks.values()) == total
    assert masks["inner.0.weight"].float().mean() > masks["outer.0.weight"].float().mean()


def test_gradually(net):
    method = make(net)
    kept = [int(method.step(epoch)["inner.0.weight"].sum()) for epoch in (0, 2, 4)]
    assert method.step(1) is None
    assert kept[0] == net.inner[0].weight.numel() > kept[1] > kept[2]
    assert kept[2] == pytest.approx(256 * 9 / 8.1, rel=0.01)
