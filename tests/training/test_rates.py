from dataclasses import replace

import pytest
import torch

from tests.training.tiny import example
from tvm_patdnn.errors import TrainingError
from tvm_patdnn.pruning import PruneOptions
from tvm_patdnn.training import PatternPruner, PrunerConfig
from tvm_patdnn.training.data.images import MemoryImages
from tvm_patdnn.training.rate_choice import RateChooser, RateGoal
from tvm_patdnn.training.rates import allocate_by_sensitivity, allocate_uniformly, harms
from tvm_patdnn.training.sensitivity import Sensitivity

COSTS = {"a": {1.0: 100.0, 2.0: 50.0, 4.0: 25.0}, "b": {1.0: 10.0, 2.0: 5.0, 4.0: 2.5}}


def test_uniform_rates():
    assert allocate_uniformly(COSTS, 110) == {"a": 1.0, "b": 1.0}
    assert allocate_uniformly(COSTS, 60) == {"a": 2.0, "b": 2.0}
    assert allocate_uniformly(COSTS, 54) == {"a": 4.0, "b": 4.0}


@pytest.mark.parametrize("rising", [0.0, 1.0])
def test_out_of_reach(rising):
    message = "the goal cannot be reached: it leaves 20 .* which need 28 even at 4x"
    with pytest.raises(TrainingError, match=message):
        allocate_uniformly(COSTS, 20)
    harm = {layer: dict.fromkeys(costs, rising) for layer, costs in COSTS.items()}
    with pytest.raises(TrainingError, match=message):
        allocate_by_sensitivity(COSTS, harm, 20)


def test_sensitive_layers_keep_more():
    harm = {"a": {1.0: 0.0, 2.0: 9.0, 4.0: 99.0}, "b": {1.0: 0.0, 2.0: 0.0, 4.0: 0.1}}
    assert allocate_by_sensitivity(COSTS, harm, 105) == {"a": 1.0, "b": 2.0}
    assert allocate_by_sensitivity(COSTS, harm, 103) == {"a": 1.0, "b": 4.0}
    assert allocate_by_sensitivity(COSTS, harm, 53) == {"a": 2.0, "b": 4.0}
    even = {"a": harm["b"], "b": harm["a"]}
    assert allocate_by_sensitivity(COSTS, even, 60) == {"a": 2.0, "b": 1.0}


def test_harm_never_falls():
    rows = [
        Sensitivity(layer="a", rate=rate, top1=0.0, loss_rise=rise)
        for rate, rise in ((4.0, 0.3), (1.0, -0.1), (2.0, 0.5))
    ]
    assert harms(rows) == {"a": {1.0: 0.0, 2.0: 0.5, 4.0: 0.5}}


def chosen(net, data, goal, options=None):
    chooser = RateChooser(goal, PrunerConfig(prune=options or PruneOptions()), data)
    return chooser, chooser(net, example())


def test_target_macs_are_kept(net, data):
    dense = PatternPruner(net, example=example()).summary().dense_macs
    goal = RateGoal(macs=0.25 * dense)
    _, config = chosen(net, data, goal)
    summary = PatternPruner(net, config, example=example()).finalize()
    assert 0.1 * dense < summary.kept_macs <= 0.25 * dense
    assert len(set(config.prune.per_layer.values())) == 1


def test_rates_by_hand_stay(net, data):
    options = PruneOptions(per_layer={"inner.0": 1.2})
    dense = PatternPruner(net, example=example()).summary().dense_macs
    _, config = chosen(net, data, RateGoal(macs=0.3 * dense), options)
    assert config.prune.per_layer["inner.0"] == 1.2
    summary = PatternPruner(net, config, example=example()).finalize()
    assert summary.kept_macs <= 0.3 * dense


def test_a_scan_spares_what_hurts(net, data):
    """The network is right about all images, and its inner pair is cut off by a zero."""
    with torch.no_grad():
        net.outer[1].weight.zero_()
        net.head.weight.mul_(50)
        answers = net.eval()(data.normalise(data.train.images, 3)).argmax(dim=1)
    data = replace(data, train=MemoryImages(data.train.images, answers))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    chooser, config = chosen(net, data, RateGoal(scan_images=60))
    rates = config.prune.per_layer
    assert rates["inner.0"] == rates["outer.0"] > rates["second.0"]
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    unhurt = [row.loss_rise for row in chooser.scan if row.layer == "inner.0"]
    assert unhurt == [0.0] * len(unhurt)
    uniform = PatternPruner(net, PrunerConfig(method="oneshot"), example=example()).finalize()
    found = PatternPruner(net, config, example=example()).finalize()
    assert found.kept_macs <= uniform.kept_macs


def test_target_speedup_by_the_cost_model(net, data):
    """More speed needs higher rates; the model sees what patterns alone give."""
    options = PruneOptions(connectivity_1x1=1.0)
    rates = [
        max(
            chosen(net, data, RateGoal(speedup=x, target="raspberry-pi-4"), options)[
                1
            ].prune.per_layer.values()
        )
        for x in (1.2, 1.9, 2.2)
    ]
    assert rates[0] == 1.0
    assert rates == sorted(set(rates))
    with pytest.raises(TrainingError, match="the goal cannot be reached"):
        chosen(net, data, RateGoal(speedup=100.0, target="raspberry-pi-4"), options)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"macs": 1e6, "speedup": 2.0}, "two goals: give target MACs or a target speed-up"),
        ({"macs": 0.0}, "macs=0.0: expected a positive number"),
        ({"speedup": 1.0}, "speedup=1.0: expected more than 1"),
        ({"scan_images": -1}, "scan_images=-1: expected 0 or more"),
    ],
)
def test_wrong_goals(wrong, message):
    with pytest.raises(TrainingError, match=message):
        RateGoal(**wrong)


def test_no_goal_is_asked_for():
    assert not RateGoal().asked_for
    assert RateGoal(scan_images=5).asked_for
