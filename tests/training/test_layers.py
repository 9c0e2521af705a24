import pytest
import torch
from torch import nn

from tests.training.tiny import example
from tvm_patdnn.pruning import PruneOptions
from tvm_patdnn.training.costs import CycleModel, layer_macs
from tvm_patdnn.training.layers import (
    Plane,
    conv_modules,
    describe_convolutions,
    output_positions,
    trace_planes,
    weight_array,
)
from tvm_patdnn.training.projection import NetworkProjection


class Twice(nn.Module):
    """Defines its layers in another order than it runs them, one of them twice."""

    def __init__(self):
        super().__init__()
        self.late = nn.Conv2d(4, 4, 3, padding=1)
        self.early = nn.Conv2d(3, 4, 3, stride=2)

    def forward(self, x):
        return self.late(self.late(self.early(x)))


def test_planes_in_the_order_of_running():
    net = Twice()
    net.late.eval()
    planes = trace_planes(net, example())
    assert list(planes) == ["early", "late"]
    assert planes == {"early": Plane((8, 8), (3, 3), 1), "late": Plane((3, 3), (3, 3), 2)}
    assert output_positions(net, example()) == {"early": 9, "late": 18}
    assert (net.training, net.late.training) == (True, False)
    assert not net.late._forward_hooks


def test_descriptions(net):
    found = {layer.name: layer for layer in describe_convolutions(net)}
    assert list(found) == [
        f"{n}.0" for n in ("first", "second", "inner", "outer", "depthwise", "pointwise")
    ]
    assert found["first.0"].first
    assert sum(layer.first for layer in found.values()) == 1
    assert found["depthwise.0"].group == 16
    assert found["inner.0"].weight.shape == (16, 16, 3, 3)
    assert found["inner.0"].names == ("inner.0", "inner.0.weight")


def test_weights_are_copies(net):
    array = weight_array(net.inner[0])
    array[:] = 0
    assert net.inner[0].weight.any()


def test_products_by_rate(net):
    positions = output_positions(net, example())
    projection = NetworkProjection.of_model(net, PruneOptions(), positions)
    costs = layer_macs(net, projection, [1.0, 4.0])
    assert costs["inner.0"] == {1.0: 256 * 4 * 64, 4.0: 64 * 4 * 64}
    assert costs["pointwise.0"] == {1.0: 256 * 64, 4.0: 64 * 64}


@pytest.mark.parametrize(
    "conv",
    [
        nn.Conv2d(8, 8, 3, padding=1),
        nn.Conv2d(8, 8, 3, padding="same"),
        nn.Conv2d(8, 8, 3, padding="valid", stride=2),
        nn.Conv2d(8, 8, 3, padding=1, groups=8),
        nn.Conv2d(8, 16, 1, stride=2),
        nn.Conv2d(8, 8, 5, padding=4, dilation=2),
    ],
)
def test_cycles(conv):
    """More rows cost more, and nothing costs less than all."""
    model = CycleModel("raspberry-pi-4")
    found = []
    for size in (16, 32):
        planes = trace_planes(nn.Sequential(conv), torch.zeros(1, 8, size, size))
        found.append(model.cycles(conv, weight_array(conv), planes["0"]))
    assert found[1] > 2 * found[0] > 0
    if conv.groups == 1:
        pruned = weight_array(conv)
        pruned[:, ::2] = 0
        assert model.cycles(conv, pruned, planes["0"]) < found[1]
    assert set(conv_modules(conv)) == {""}
