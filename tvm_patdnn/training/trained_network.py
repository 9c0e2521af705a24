"""The network that an earlier run came to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from tvm_patdnn.errors import TrainingError
from tvm_patdnn.training.checkpoint import check_same
from tvm_patdnn.training.data.images import DataSet
from tvm_patdnn.training.network_factory import make_checked_network
from tvm_patdnn.training.network_file import load_network

__all__ = ["RESULT", "TrainedNetwork", "read_trained_network"]

RESULT = "network.pt"  #: the file of a run's folder with the network that it came to


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainedNetwork:
    """A network and what it is called.

    Attributes:
        name: its factory and its epochs, such as ``resnet20 of 320 epochs``.
    """

    network: nn.Module
    name: str


def read_trained_network(
    path: Path, data: DataSet, device: torch.device, *, factory: str
) -> TrainedNetwork:
    """Reads a trained network, which may be any network for the same images.

    Args:
        path: the file, or the folder of a finished run.
        data: the images that it is wanted for.
        device: where it is wanted.
        factory: that makes the network. The file names one, too, but what is imported and
            called is for the user to say.

    Raises:
        TrainingError: there is no such file, the run is not finished, it was trained on
            other images, or it is of another factory.
    """
    path = _file(path)
    stored = load_network(path)
    check_same(path, stored.facts, {"data": data.name, "train_images": len(data.train.labels)})
    if stored.facts["network"] != factory:
        raise TrainingError(
            f"{path}: is of the network {stored.facts['network']!r}, expected {factory!r}; if you "
            "trust that code, which is imported and called, name it with --teacher-network"
        )
    network = make_checked_network(factory, data, seed=0, device=device)
    try:
        network.load_state_dict(stored.state)
    except RuntimeError as error:
        raise TrainingError(
            f"{path}: its weights do not fit the network {factory!r} as it is now; train it again"
        ) from error
    name = f"{factory.partition(':')[2]} of {stored.epochs} epochs"
    return TrainedNetwork(network=network, name=name)


def _file(path: Path) -> Path:
    if not path.is_dir():
        return path
    if (path / "checkpoint.pt").is_file() and not (path / RESULT).is_file():
        raise TrainingError(f"{path}: this run is not finished; continue it first with --resume")
    return path / RESULT
