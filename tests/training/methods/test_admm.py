import pytest
import torch
from torch import nn

from tests.training.tiny import example
from tvm_patdnn.pruning import PruneOptions
from tvm_patdnn.sparse.patterns import Pattern
from tvm_patdnn.training.methods.admm import Admm
from tvm_patdnn.training.options import PrunerConfig
from tvm_patdnn.training.projection import NetworkProjection

SQUARE = Pattern.from_picture("##./##./...")


def make(model, options=None, **settings):
    config = PrunerConfig(prune=options or PruneOptions(), **settings)
    return Admm(model, NetworkProjection.of_model(model, config.prune), config)


@pytest.fixture
def two_kernels():
    """One filter with kernels of ones and of twos."""
    conv = nn.Conv2d(2, 1, 3, bias=False)
    with torch.no_grad():
        conv.weight[0, 0], conv.weight[0, 1] = 1.0, 2.0
    return nn.Sequential(conv)


OPTIONS = PruneOptions(patterns=[SQUARE], connectivity=2.0, per_layer={"0": 2.0})


def test_penalty_by_hand(two_kernels):
    """Five entries of 1 and of 2 lie outside the pattern; the kernel of ones is weaker."""
    admm = make(two_kernels, OPTIONS, rho=0.5)
    off_pattern, off_kernels = 5 * 1 + 5 * 4, 9 * 1
    assert admm.penalty().item() == pytest.approx(0.5 / 2 * (off_pattern + off_kernels))


def test_gradient_of_the_penalty_by_hand(two_kernels):
    admm = make(two_kernels, OPTIONS, rho=0.5)
    admm.penalty().backward()
    gradient = two_kernels[0].weight.grad[0]
    assert gradient[0, 2, 2].item() == pytest.approx(0.5 * (1 + 1))  # against both constraints
    assert gradient[0, 0, 0].item() == pytest.approx(0.5 * 1)  # in the pattern
    assert gradient[1, 2, 2].item() == pytest.approx(0.5 * 2)  # kernel kept
    assert gradient[1, 0, 0].item() == 0


def test_update_by_hand(two_kernels):
    admm = make(two_kernels, OPTIONS)
    admm.update()
    pattern, kernels = admm.pairs["pattern", "0"], admm.pairs["connectivity", "0"]
    assert pattern.u[0, 0].tolist() == [[0, 0, 1], [0, 0, 1], [1, 1, 1]]
    assert (kernels.u[0, 0] == 1).all()
    assert (kernels.u[0, 1] == 0).all()
    with torch.no_grad():
        two_kernels[0].weight[0, 1] = 1.5
    admm.update()  # W + U: the kernel of ones is now 2, and wins
    assert (kernels.z[0, 0] == 2).all()
    assert (kernels.z[0, 1] == 0).all()
    assert (kernels.u[0, 0] == 0).all()
    assert (kernels.u[0, 1] == 1.5).all()


def test_rho_rises_in_four_stages_and_scales_the_duals(net):
    admm = make(net, epochs=8, update_every=1)
    found, scaled = [], []
    for epoch in range(8):
        admm.step(epoch)
        found.append(admm.rho)
        scaled.append(admm.rho * admm.pairs["pattern", "inner.0"].u.norm().item())
    assert found == pytest.approx([1e-4, 1e-4, 1e-3, 1e-3, 1e-2, 1e-2, 1e-1, 1e-1])
    assert scaled[0] == 0
    assert scaled[1] > 0


def test_raising_rho_keeps_the_unscaled_duals(net):
    admm = make(net, epochs=8, update_every=100)
    admm.update()
    before = admm.rho * admm.pairs["pattern", "inner.0"].u
    admm.step(6)
    assert admm.rho == pytest.approx(0.1)
    assert torch.allclose(admm.rho * admm.pairs["pattern", "inner.0"].u, before)


def test_duals_may_start_over_with_each_stage(net):
    admm = make(net, epochs=8, update_every=1, restart_duals=True)
    for epoch in range(2):
        admm.step(epoch)
    pair = admm.pairs["pattern", "inner.0"]
    assert pair.u.any()
    with torch.no_grad():
        net.inner[0].weight.mul_(2)
    admm.step(2)
    assert not pair.u.any()
    weight = net.inner[0].weight
    masks = dict(zip(admm.projection.names, admm.projection.pattern_masks(admm.weights)))
    assert torch.equal(pair.z, weight * masks["inner.0"])


def test_updates_come_every_few_epochs(net):
    admm = make(net, epochs=9, update_every=4)
    for epoch in range(9):
        assert admm.step(epoch) is None
    assert sorted({row["epoch"] for row in admm.log}) == [4, 8]
    assert {row["constraint"] for row in admm.log} == {"pattern", "connectivity"}


def test_only_what_is_constrained_has_variables(net):
    layers = {"second.0", "inner.0", "outer.0"}
    both = {("pattern", n) for n in layers} | {("connectivity", n) for n in layers}
    assert set(make(net).pairs) == both | {("connectivity", "pointwise.0")}
    only_patterns = PruneOptions(connectivity=1.0)
    assert set(make(net, only_patterns).pairs) == {("pattern", n) for n in layers}


def test_residuals_shrink_on_a_small_problem(net):
    """A loss that wants all weights as they are gives way to the constraints as rho rises."""
    admm = make(net, epochs=12, update_every=1, rho=0.1, rho_stages=3)
    wanted = [weight.detach().clone() for weight in admm.weights]
    optimizer = torch.optim.SGD(admm.weights, lr=0.05)
    found = []
    for epoch in range(13):
        admm.step(min(epoch, 12))
        found.append(admm.residuals())
        for _ in range(40):
            apart = sum(0.05 * (w - v).square().sum() for w, v in zip(admm.weights, wanted))
            optimizer.zero_grad()
            (apart + admm.penalty()).backward()
            optimizer.step()
    for constraint in ("pattern", "connectivity"):
        assert found[0][constraint] > 0.4
        assert found[-1][constraint] < 0.25 * found[0][constraint]
        logged = [row["residual"] for row in admm.log if row["constraint"] == constraint]
        assert logged == [row[constraint] for row in found[1:]]


def test_final_masks_hold_both_constraints(net):
    admm = make(net)
    masks = admm.final_masks()
    assert set(masks) == {f"{n}.0.weight" for n in ("second", "inner", "outer", "pointwise")}
    kernels = masks["inner.0.weight"].sum(dim=(2, 3))
    assert set(kernels.unique().tolist()) == {0, 4}
    assert int((kernels > 0).sum()) == round(256 / 3.6)


def test_state_round_trip(net):
    first = make(net, epochs=4, update_every=1)
    for epoch in range(3):
        first.step(epoch)
    second = make(net, epochs=4, update_every=1)
    second.load_state_dict(first.state_dict())
    assert second.rho == first.rho
    assert second.penalty().item() == first.penalty().item()
    assert second.log == first.log


def test_the_penalty_is_nothing_without_constraints():
    model = nn.Sequential(nn.Conv2d(3, 4, 5), nn.Conv2d(4, 4, 1))
    options = PruneOptions(connectivity=1.0, connectivity_1x1=2.0)
    assert list(make(model, options).pairs) == [("connectivity", "1")]
    assert make(model, options).penalty().item() > 0
    assert model(example()).shape[1] == 4
