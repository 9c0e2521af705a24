import pytest
import torch
from torch import nn

from tests.training.tiny import example, plain_net
from tvm_patdnn.errors import TrainingError
from tvm_patdnn.pruning import PruneOptions
from tvm_patdnn.training import PatternPruner, PrunerConfig
from tvm_patdnn.training.methods.channel_spaces import find_channel_spaces

OPTIONS = PruneOptions(connectivity_1x1=1.0)


def pruner_of(model, options=OPTIONS, **settings):
    config = PrunerConfig(method="filter", prune=options, **settings)
    return PatternPruner(model, config, example=example())


def test_spaces_of_a_residual_network(net):
    spaces = [space for space in find_channel_spaces(net) if space.producers]
    by_producer = {tuple(sorted(space.producers)): space for space in spaces}
    assert set(by_producer) == {
        *(("first.0",), ("outer.0", "second.0"), ("inner.0",), ("pointwise.0",))
    }
    shared = by_producer["outer.0", "second.0"]
    assert set(shared.followers) == {"outer.1", "second.1", "depthwise.0", "depthwise.1"}
    assert set(shared.consumers) == {"inner.0", "pointwise.0"}
    assert not shared.fixed
    assert by_producer[("pointwise.0",)].fixed  # its mean is taken in a way we do not know


def test_spaces_of_a_plain_network():
    spaces = [space for space in find_channel_spaces(plain_net()) if space.producers]
    found = [(s.producers, s.followers, s.consumers, s.fixed) for s in spaces]
    assert found == [(["0"], ["1"], ["3"], False), (["3"], ["4"], ["8"], False)]


def test_no_more_products_than_patterns_would_leave(net):
    ours = PatternPruner(net, PrunerConfig(method="oneshot", prune=OPTIONS), example=example())
    goal = ours.projection.kept_counts(ours.method.weights)
    positions = ours.projection.positions
    left_alone = sum(
        plan.layer.weight.size * positions[plan.layer.name]
        for plan in ours.projection.plans
        if plan.reason
    )
    goal = left_alone + sum(
        count * positions[name] for name, count in zip(ours.projection.names, goal)
    )
    summary = pruner_of(net).finalize()
    assert 0.6 * goal < summary.kept_macs <= goal


def test_a_network_without_the_channels_computes_the_same():
    """The zeros can really be taken out."""
    net = plain_net().eval()
    pruner = pruner_of(net)
    pruner.finalize()
    masks = pruner.keeper.masks
    kept = [masks[f"{i}.weight"].flatten(1).any(dim=1) for i in (0, 3)]
    assert all(0 < int(channels.sum()) < 8 for channels in kept)
    small = nn.Sequential(
        *(nn.Conv2d(3, int(kept[0].sum()), 3, padding=1, bias=False), _norm(net[1], kept[0])),
        nn.ReLU(),
        nn.Conv2d(int(kept[0].sum()), int(kept[1].sum()), 3, padding=1, bias=False),
        *(_norm(net[4], kept[1]), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        nn.Linear(int(kept[1].sum()), 3),
    ).eval()
    with torch.no_grad():
        small[0].weight.copy_(net[0].weight[kept[0]])
        small[3].weight.copy_(net[3].weight[kept[1]][:, kept[0]])
        small[8].weight.copy_(net[8].weight[:, kept[1]])
        small[8].bias.copy_(net[8].bias)
        assert torch.allclose(small(example()), net(example()), atol=1e-5)


def _norm(norm, kept):
    small = nn.BatchNorm2d(int(kept.sum()))
    with torch.no_grad():
        for name, value in small.state_dict().items():
            value.copy_(getattr(norm, name)[kept] if value.ndim else getattr(norm, name))
    return small


def test_gradually(net):
    pruner = pruner_of(net, epochs=5, update_every=2)
    kept = []
    for epoch in range(5):
        pruner.step(epoch)
        kept.append(pruner.summary().kept_macs)
    assert kept[0] == pruner.summary().dense_macs
    assert kept[0] > kept[2] > kept[4]
    assert kept[1] == kept[0]


def test_skipped_layers_keep_their_channels(net):
    options = PruneOptions(skip_layers=["inner.0"], connectivity=2.0)
    pruner = pruner_of(net, options)
    pruner.finalize()
    assert pruner.keeper.masks.get("inner.0.weight", torch.ones(1)).any()
    filters = net.inner[0].weight.flatten(1).any(dim=1)
    assert filters.all()


def test_a_goal_out_of_reach():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.Flatten(2))
    with pytest.raises(TrainingError, match="filter pruning cannot go down to .* lower the rate"):
        pruner_of(net, PruneOptions(first_layer=True, connectivity=4.0))


def test_an_untraceable_network():
    class Branching(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x):
            return self.conv(x) if x.sum() > 0 else self.conv(-x)

    with pytest.raises(TrainingError, match="filter pruning needs a network that torch.fx can"):
        pruner_of(Branching(), PruneOptions(first_layer=True))


def test_state_round_trip(net):
    first = pruner_of(net)
    second = pruner_of(net)
    second.method.keep = 1.0
    second.load_state_dict(first.state_dict())
    assert second.method.keep == first.method.keep < 1
