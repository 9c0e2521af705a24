"""What a training run is made of."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tvm_patdnn.training.computing import Computing
from tvm_patdnn.training.data.images import DataSet
from tvm_patdnn.training.options import PrunerConfig
from tvm_patdnn.training.rate_choice import RateChooser
from tvm_patdnn.training.settings import TrainSettings
from tvm_patdnn.training.trained_network import TrainedNetwork

__all__ = ["RunSpec"]


@dataclass(frozen=True, kw_only=True, eq=False)
class RunSpec:
    """What a run is made of.

    Attributes:
        network: ``module:factory``.
        data: the images, on any device.
        pruner: the method; its ``epochs`` are those of ``settings``.
        choose_rates: chooses which layers are pruned how much, once the dense network is
            there; None for what ``pruner`` says.
        dense: where the dense network is kept: read if it is there, written if not.
        result: where the network that the run comes to is kept.
        checkpoint: written after every epoch, read to continue.
        teacher: whose outputs ``settings.distill`` weighs; None for the pretrained dense network.
        teacher_scores: where these are kept, for runs of the same seed; None for nowhere.
        evaluate_every: epochs between two measurements on the test images.
    """

    network: str
    data: DataSet
    settings: TrainSettings
    pruner: PrunerConfig
    computing: Computing
    choose_rates: RateChooser | None = None
    dense: Path | None = None
    result: Path | None = None
    checkpoint: Path | None = None
    teacher: TrainedNetwork | None = None
    teacher_scores: Path | None = None
    evaluate_every: int = 1

    @property
    def identity(self) -> dict[str, Any]:
        """What the dense network depends on, but for its training."""
        return {
            "network": self.network,
            "data": self.data.name,
            "train_images": len(self.data.train.labels),
            "seed": self.settings.seed,
        }

    @property
    def facts(self) -> dict[str, Any]:
        """What the whole run depends on."""
        return {
            **self.identity,
            **asdict(self.settings),
            "pruner": repr(self.pruner),
            "teacher": self.teacher and self.teacher.name,
            "goal": repr(self.choose_rates and self.choose_rates.goal),
        }
