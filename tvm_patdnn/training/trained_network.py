"""The network that an earlier run came to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from tvm_patdnn.errors import TrainingError
from tvm_patdnn.training.checkpoint import check_same, load_checkpoint
from tvm_patdnn.training.data.images import DataSet
from tvm_patdnn.training.network_factory import make_checked_network

__all__ = ["TrainedNetwork", "read_trained_network"]

_ALL_PHASES = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainedNetwork:
    """A network and what it is called.

    Attributes:
        name: its factory and its epochs, such as ``resnet20 of 320 epochs``.
    """

    network: nn.Module
    name: str


def read_trained_network(folder: Path, data: DataSet, device: torch.device) -> TrainedNetwork:
    """Reads the network of a finished run, which may be any network for the same images.

    Args:
        folder: the run's output folder.
        data: the images that it is wanted for.
        device: where it is wanted.

    Raises:
        TrainingError: there is no run there, it is not finished, or it was trained on other
            images.
    """
    path = folder / "checkpoint.pt"
    stored = load_checkpoint(path, "run")
    facts, state = stored["facts"], stored["state"]
    check_same(path, facts, {"data": data.name, "train_images": len(data.train.labels)})
    if state["phase"] < _ALL_PHASES:
        raise TrainingError(f"{path}: this run is not finished; continue it first with --resume")
    factory = facts["network"]
    network = make_checked_network(factory, data, seed=0, device=device)
    try:
        network.load_state_dict(stored["model"])
    except RuntimeError as error:
        raise TrainingError(
            f"{path}: its weights do not fit the network {factory!r} as it is now; train it again"
        ) from error
    epochs = state["dense_epochs"] + facts["prune_epochs"] + facts["retrain_epochs"]
    return TrainedNetwork(network=network, name=f"{factory.partition(':')[2]} of {epochs} epochs")
