import torch

from tvm_patdnn.training.methods.cubic import cubic_share
from tvm_patdnn.training.methods.gradual import Gradual
from tvm_patdnn.training.options import PrunerConfig
from tvm_patdnn.training.projection import NetworkProjection


def make(net, **settings):
    config = PrunerConfig(method="gradual", **settings)
    return Gradual(net, NetworkProjection.of_model(net, config.prune), config)


def test_cubic_shares():
    config = PrunerConfig(epochs=11, update_every=2)
    shares = [cubic_share(epoch, config) for epoch in range(11)]
    assert shares[0] == shares[1] == 0
    assert shares[2] == shares[3] == 1 - 0.8**3
    assert shares[10] == 1
    assert shares == sorted(shares)


def test_a_short_phase_removes_all_at_once():
    assert cubic_share(0, PrunerConfig(epochs=2, update_every=3)) == 1
    assert cubic_share(0, PrunerConfig(epochs=1, update_every=1)) == 1


def test_what_is_gone_stays_gone_and_the_end_is_the_projection(net):
    method = make(net, epochs=7, update_every=2)
    kept = [[256 * 9]]
    for epoch in range(7):
        masks = method.step(epoch)
        assert (masks is None) == (epoch % 2 == 1)
        if masks is not None:
            weight = net.inner[0].weight
            assert not (masks["inner.0.weight"] & (weight == 0)).any()
            kept.append([int(masks["inner.0.weight"].sum())])
            with torch.no_grad():
                weight.mul_(masks["inner.0.weight"])
    assert kept == sorted(kept, reverse=True)
    assert kept[1] == [256 * 9]  # nothing is gone at the start
    assert kept[-1] == [round(256 / 3.6) * 4]
    final = method.final_masks()["inner.0.weight"]
    assert int(final.sum()) == round(256 / 3.6) * 4


def test_half_way_some_kernels_have_their_pattern(net):
    masks = make(net, epochs=9, update_every=2).step(2)
    sizes = set(masks["inner.0.weight"].sum(dim=(2, 3)).unique().tolist())
    assert sizes == {0, 4, 9}
