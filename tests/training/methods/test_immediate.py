import torch

from tvm_patdnn.training.methods.immediate import Dense, OneShot
from tvm_patdnn.training.options import PrunerConfig
from tvm_patdnn.training.projection import NetworkProjection


def make(kind, net):
    config = PrunerConfig()
    return kind(net, NetworkProjection.of_model(net, config.prune), config)


def test_one_shot_chooses_once(net):
    method = make(OneShot, net)
    masks = method.step(0)
    with torch.no_grad():
        net.inner[0].weight.copy_(torch.randn_like(net.inner[0].weight))
    assert method.step(1) is None
    assert torch.equal(method.final_masks()["inner.0.weight"], masks["inner.0.weight"])
    assert int(masks["inner.0.weight"].sum()) == round(256 / 3.6) * 4


def test_one_shot_state(net):
    first, second = make(OneShot, net), make(OneShot, net)
    masks = first.step(0)
    second.load_state_dict(first.state_dict())
    assert second.step(1) is None
    assert torch.equal(second.final_masks()["inner.0.weight"], masks["inner.0.weight"])


def test_dense_removes_nothing(net):
    method = make(Dense, net)
    assert method.step(0) is None
    assert method.penalty() is None
    assert method.final_masks() == {}
