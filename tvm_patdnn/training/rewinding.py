"""Weights to retrain a final mask from, other than those that pruning left.

The question of the lottery ticket (Frankle and Carbin, ICLR 2019; with early epochs instead
of the start, Frankle et al., ICML 2020): could the sparse network have been trained from
the beginning? Nothing was stored for it: the first epochs are trained again, and come to the
same weights.
"""

from __future__ import annotations

from torch import nn

from tvm_patdnn.errors import TrainingError
from tvm_patdnn.training.epoch import EpochTrainer, make_optimizer
from tvm_patdnn.training.network_factory import make_checked_network
from tvm_patdnn.training.phases import phases
from tvm_patdnn.training.run_spec import RunSpec
from tvm_patdnn.training.settings import TrainSettings

__all__ = ["check_schedule", "early_network"]

_FRESH = 1_000_003  # between the seeds of a run's weights and of fresh ones


def check_schedule(settings: TrainSettings, dense_epochs: int) -> None:
    """Checks, before long work, that an early epoch can be trained again.

    Args:
        dense_epochs: that the run's dense network was trained for.

    Raises:
        TrainingError: they are others than the settings say, so the rates were others.
    """
    if settings.rewind in (None, 0, "fresh") or dense_epochs == settings.dense_epochs:
        return
    raise TrainingError(
        f"rewind={settings.rewind}: the dense network was trained for {dense_epochs} epochs, the "
        f"settings say {settings.dense_epochs}, which is another schedule; give "
        f"--dense-epochs {dense_epochs}"
    )


def early_network(spec: RunSpec) -> nn.Module:
    """Returns the network as ``spec.settings.rewind`` asks for."""
    settings, rewind = spec.settings, spec.settings.rewind
    seed = settings.seed + (_FRESH if rewind == "fresh" else 0)
    device = spec.computing.device
    network = make_checked_network(spec.network, spec.data, seed=seed, device=device)
    trainer = EpochTrainer(
        network=network, data=spec.data, settings=settings, computing=spec.computing
    )
    optimizer = make_optimizer(network, settings)
    for epoch in range(rewind if isinstance(rewind, int) else 0):
        trainer.run(phases(settings)[0], epoch, optimizer)
    return network
