"""Reweighted penalties: what is weak is penalised more, and so becomes weaker.

Each weight that the projections would remove adds strength * w^2 / (s^2 + eps), where s
is its size at the last update (for a removed kernel: the root mean square of the kernel),
as in reweighted l1 and l2 minimisation (Candes, Wakin and Boyd, 2008).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from tvm_patdnn.training.methods.base import Masks, PruningMethod

__all__ = ["Reweighted"]

_EPSILON = 1e-4  # of squared weights: keeps the penalty of vanished weights finite


class Reweighted(PruningMethod):
    """See the module's description."""

    draws_by = "strength, or epochs"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.factors = self._factors()

    def step(self, epoch: int) -> Masks | None:
        """Looks at the weights anew, every few epochs."""
        if epoch and epoch % self.config.update_every == 0:
            self.factors = self._factors()
            self.log.append({"epoch": epoch, "residual": self.distance()})
        return None

    def penalty(self) -> Tensor | None:
        """Returns strength times the sum of the weighted squares."""
        terms = [(f.to(w.device) * w.square()).sum() for f, w in zip(self.factors, self.weights)]
        return self.config.strength * torch.stack(terms).sum()

    def final_masks(self) -> Masks:
        """Returns the masks of the trained weights."""
        return self.project()

    def state_dict(self) -> dict[str, Any]:
        """Returns the factors too."""
        return {**super().state_dict(), "factors": list(self.factors)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continues with the stored factors."""
        super().load_state_dict(state)
        self.factors = list(state["factors"])

    @torch.no_grad()
    def _factors(self) -> list[Tensor]:
        weights = [weight.detach() for weight in self.weights]
        by_pattern = self.projection.pattern_masks(weights)
        both = self.projection.masks(weights)
        return [_factor(w, a, b) for w, a, b in zip(weights, by_pattern, both)]


def _factor(weight: Tensor, by_pattern: Tensor, both: Tensor) -> Tensor:
    """Returns 1 / (s^2 + eps) for what is to go, 0 for what stays: like ``weight``."""
    kernel = weight.square().mean(dim=(2, 3), keepdim=True)
    size = torch.where(by_pattern, kernel, weight.square())
    return torch.where(both, torch.zeros_like(weight), 1 / (size + _EPSILON))
