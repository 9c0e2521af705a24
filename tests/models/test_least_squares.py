import pytest

torch = pytest.importorskip("torch")

from models.least_squares import refit  # noqa: E402 - needs torch


def test_a_pruned_layer_finds_the_weights_that_explain_its_target():
    torch.manual_seed(0)
    truth, conv = torch.nn.Conv2d(4, 6, 3, padding=1), torch.nn.Conv2d(4, 6, 3, padding=1)
    kept = torch.rand_like(conv.weight) < 0.4
    inputs = torch.randn(3, 4, 12, 12)
    with torch.no_grad():
        truth.weight *= kept
        conv.weight *= kept
        refit(conv, inputs, truth(inputs))
    assert torch.allclose(conv.weight, truth.weight, atol=1e-3)
    assert torch.allclose(conv.bias, truth.bias, atol=1e-3)
    assert torch.equal(conv.weight != 0, kept)


def test_it_makes_up_for_weights_that_are_gone():
    torch.manual_seed(0)
    dense, conv = torch.nn.Conv2d(4, 6, 3, padding=1), torch.nn.Conv2d(4, 6, 3, padding=1)
    base = torch.randn(3, 1, 12, 12)
    inputs = base + 0.1 * torch.randn(3, 4, 12, 12)  # channels that can replace each other
    with torch.no_grad():
        conv.weight.copy_(dense.weight)
        conv.bias.copy_(dense.bias)
        conv.weight[:, 1:] = 0
        target = dense(inputs)
        before = (conv(inputs) - target).square().mean()
        refit(conv, inputs, target)
        after = (conv(inputs) - target).square().mean()
    assert after < 0.2 * before


def test_a_filter_without_weights_keeps_its_mean():
    conv = torch.nn.Conv2d(1, 1, 3, padding=1)
    with torch.no_grad():
        conv.weight.zero_()
    refit(conv, torch.randn(1, 1, 8, 8), torch.full((1, 1, 8, 8), 3.0))
    assert conv.bias.item() == pytest.approx(3.0, abs=1e-3)
