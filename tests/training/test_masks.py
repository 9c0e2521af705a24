import gc

import pytest
import torch
from torch import nn

from tvm_patdnn.errors import TrainingError
from tvm_patdnn.training.masks import MaskKeeper

OPTIMISERS = [
    lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.1, nesterov=True),
    lambda p: torch.optim.Adam(p, lr=0.1, weight_decay=0.1, amsgrad=True),
    lambda p: torch.optim.RMSprop(p, lr=0.1, momentum=0.9),
]


def step(layer, optimizer):
    optimizer.zero_grad()
    (layer(torch.randn(5, 4)) - 1).square().sum().backward()
    optimizer.step()


@pytest.fixture
def layer():
    return nn.Linear(4, 3)


@pytest.fixture
def mask():
    return torch.tensor([[1, 0, 1, 0], [0, 0, 0, 0], [1, 1, 1, 1]], dtype=torch.bool)


@pytest.mark.parametrize("make", OPTIMISERS)
def test_masked_weights_stay_zero_and_so_does_their_momentum(layer, mask, make):
    optimizer = make(layer.parameters())
    keeper = MaskKeeper(layer)
    for _ in range(3):  # builds up momentum
        step(layer, optimizer)
    keeper.set({"weight": mask})
    assert (layer.weight[~mask] == 0).all()
    before = layer.weight.detach().clone()
    for _ in range(4):
        step(layer, optimizer)
        assert (layer.weight[~mask] == 0).all()
        assert (layer.weight.grad[~mask] == 0).all()
        state = optimizer.state[layer.weight]
        moments = [v for v in state.values() if torch.is_tensor(v) and v.shape == mask.shape]
        assert moments
        assert all((moment[~mask] == 0).all() for moment in moments)
        assert any((moment[mask] != 0).all() for moment in moments)
    assert (layer.weight[mask] != before[mask]).all()


def test_without_a_mask_the_weights_would_come_back(layer, mask):
    """Else the test above could not fail."""
    optimizer = OPTIMISERS[0](layer.parameters())
    step(layer, optimizer)
    with torch.no_grad():
        layer.weight.mul_(mask)
    step(layer, optimizer)
    assert (layer.weight[~mask] != 0).any()


def test_new_masks_replace_the_old_ones(layer, mask):
    keeper = MaskKeeper(layer)
    keeper.set({"weight": mask})
    keeper.set({"weight": ~mask})
    assert torch.equal(keeper.masks["weight"], ~mask)
    assert (layer.weight == 0).all()
    step(layer, OPTIMISERS[0](layer.parameters()))
    assert (layer.weight[mask] == 0).all()
    assert (layer.weight[~mask] != 0).any()


def test_released_weights_train_again(layer, mask):
    keeper = MaskKeeper(layer)
    keeper.set({"weight": mask})
    keeper.release()
    step(layer, OPTIMISERS[0](layer.parameters()))
    assert (layer.weight[~mask] != 0).all()


def test_it_ends_with_its_keeper(layer, mask):
    keeper = MaskKeeper(layer)
    keeper.set({"weight": mask})
    del keeper
    gc.collect()
    step(layer, OPTIMISERS[0](layer.parameters()))
    assert (layer.weight[~mask] != 0).all()


def test_other_models_are_left_alone(layer, mask):
    keeper = MaskKeeper(layer)
    keeper.set({"weight": mask})
    other = nn.Linear(4, 3)
    step(other, OPTIMISERS[0](other.parameters()))
    assert (other.weight != 0).all()


def test_infinite_weights_are_cleared_too(layer, mask):
    with torch.no_grad():
        layer.weight.fill_(float("nan"))
    MaskKeeper(layer).set({"weight": mask})
    assert (layer.weight[~mask] == 0).all()


def test_unknown_parameter(layer, mask):
    with pytest.raises(TrainingError, match="mask of 'wait': the model has no such parameter"):
        MaskKeeper(layer).set({"wait": mask})


def test_wrong_shape(layer, mask):
    expected = r"mask of weight: shape \(4, 3\), but the parameter has \(3, 4\)"
    with pytest.raises(TrainingError, match=expected):
        MaskKeeper(layer).set({"weight": mask.T})
