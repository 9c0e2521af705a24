"""Files that hold a trained network: what runs start from, and what they learn from.

Values are float16, which halves the files. A run goes on from what its file holds, so all
runs that share the file share every bit of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tvm_patdnn.training.checkpoint import load_checkpoint, save_checkpoint, taking
from tvm_patdnn.training.evaluation import Accuracy

__all__ = ["NetworkFile", "halved", "load_network", "save_network"]

_KIND = "network"


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkFile:
    """What such a file holds.

    Attributes:
        facts: the factory, the data and the seed (``RunSpec.identity``).
        state: the network's parameters and statistics, by name.
        epochs: that it was trained for.
        accuracy: on the test images.
    """

    facts: Mapping[str, Any]
    state: Mapping[str, Tensor]
    epochs: int
    accuracy: Accuracy


def halved(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Returns ``state`` as a file holds it: float16, but for values that this cannot hold."""
    return {name: _half(value) for name, value in state.items()}


def save_network(path: Path, network: NetworkFile) -> None:
    """Writes the file, whole or not at all.

    Raises:
        BuildError: it cannot be written.
    """
    save_checkpoint(
        path,
        _KIND,
        network.facts,
        model=halved(network.state),
        epochs=network.epochs,
        accuracy=asdict(network.accuracy),
    )


def load_network(path: Path) -> NetworkFile:
    """Reads a file.

    Raises:
        TrainingError: it cannot be read, or holds something else.
    """
    stored = load_checkpoint(path, _KIND)
    with taking(path):
        return NetworkFile(
            facts=stored["facts"],
            state=stored["model"],
            epochs=stored["epochs"],
            accuracy=Accuracy(**stored["accuracy"]),
        )


def _half(value: Tensor) -> Tensor:
    if not value.is_floating_point():
        return value
    half = value.half()
    return half if torch.isfinite(half).all() else value
