"""What every pruning method offers to the pruner."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from tvm_patdnn.training.masks import share_outside
from tvm_patdnn.training.options import PrunerConfig
from tvm_patdnn.training.projection import NetworkProjection

__all__ = ["Masks", "PruningMethod", "Residual"]

Masks = dict[str, Tensor]  #: by the name of the parameter; bool, True where it is kept
Residual = dict[str, Any]  #: one line of a method's log


class PruningMethod(ABC):
    """Decides, from epoch to epoch, what is removed and what is penalised.

    Attributes:
        draws_by: the settings that draw weights towards the constraints; empty where a method
            does not draw them, but removes.

    Args:
        model: its weights are read whenever something is decided, never written.
        projection: the layers and their patterns.
        config: the schedule.
    """

    draws_by: str = ""

    def __init__(
        self, model: nn.Module, projection: NetworkProjection, config: PrunerConfig
    ) -> None:
        self.model = model
        self.projection = projection
        self.config = config
        self.log: list[Residual] = []

    def step(self, epoch: int) -> Masks | None:
        """Prepares an epoch of the pruning phase.

        Returns:
            The masks from now on, None where they stay as they are.
        """
        return None

    def penalty(self) -> Tensor | None:
        """Returns what is to be added to the loss: a scalar, None for nothing."""
        return None

    @abstractmethod
    def final_masks(self) -> Masks:
        """Returns the masks of the end."""

    def planned_masks(self) -> Masks:
        """Returns what the masks of the end would be if the weights stayed; decides nothing."""
        return self.final_masks()

    def state_dict(self) -> dict[str, Any]:
        """Returns what is not derived from the model and the options."""
        return {"log": list(self.log)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continues from what ``state_dict`` returned."""
        self.log = list(state["log"])

    @property
    def weights(self) -> list[Tensor]:
        """The parameters of the layers to prune."""
        return self.projection.weights(self.model)

    def named(self, masks: list[Tensor]) -> Masks:
        """Maps the names of the parameters to the masks of the layers to prune."""
        return {f"{n}.weight": m for n, m in zip(self.projection.names, masks)}

    def distance(self) -> float:
        """Returns the norm of what the projections would remove, over that of all weights."""
        return share_outside(self.model, self.project())

    def project(self) -> Masks:
        """Returns the masks of both projections of the weights as they are."""
        with torch.no_grad():
            return self.named(self.projection.masks(self.weights))
