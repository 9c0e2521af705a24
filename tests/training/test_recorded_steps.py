"""Steps that a GPU repeats by itself train as steps that are asked for one by one."""

from __future__ import annotations

import warnings

import pytest
import torch

from tests.training.tiny import made_data
from tvm_patdnn.training.computing import choose_computing
from tvm_patdnn.training.epoch import EpochTrainer, make_optimizer
from tvm_patdnn.training.network_factory import make_checked_network
from tvm_patdnn.training.phases import Phase
from tvm_patdnn.training.settings import TrainSettings

_PHASE = Phase(name="dense", epochs=2, lr=0.05)


def trained(device: str, *, recorded: bool, monkeypatch) -> tuple[list[torch.Tensor], list[float]]:
    """Returns the parameters after two epochs, with batches of 8 of 20 images, and the losses."""
    monkeypatch.setattr(EpochTrainer, "_records", recorded)
    computing = choose_computing(device, "float32")
    data = made_data(20).to(computing.device)
    network = make_checked_network(
        "tests.training.tiny:sure_net", data, seed=0, device=computing.device
    )
    settings = TrainSettings(batch=8)
    rates = []
    penalized = dict(network.named_parameters())

    def penalty() -> torch.Tensor:
        return 1e-3 * sum(p.square().sum() for p in penalized.values())

    trainer = EpochTrainer(
        network=network,
        data=data,
        settings=settings,
        computing=computing,
        penalty=penalty,
        tick=rates.append,
    )
    optimizer = make_optimizer(network, settings)
    losses = [trainer.run(_PHASE, epoch, optimizer)[0] for epoch in range(2)]
    assert sum(rates) == 2 * 20
    assert all(isinstance(group["lr"], float) for group in optimizer.param_groups)
    return [p.detach().cpu() for p in network.parameters()], losses


@pytest.mark.parametrize(
    "device",
    [
        "cpu",
        pytest.param(
            "cuda",
            marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
        ),
    ],
)
def test_recorded_steps_train_the_same(device, monkeypatch):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        there, losses = trained(device, recorded=True, monkeypatch=monkeypatch)
    wanted, wanted_losses = trained(device, recorded=False, monkeypatch=monkeypatch)
    assert losses == pytest.approx(wanted_losses, rel=1e-3)
    for one, other in zip(there, wanted):
        torch.testing.assert_close(one, other, rtol=2e-3, atol=2e-4)
