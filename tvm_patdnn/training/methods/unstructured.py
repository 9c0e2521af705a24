"""Unstructured pruning by magnitude: single weights, wherever they are."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from tvm_patdnn.training.methods.base import Masks, PruningMethod
from tvm_patdnn.training.methods.cubic import cubic_share

__all__ = ["Unstructured", "strongest"]


class Unstructured(PruningMethod):
    """Keeps as many weights as patterns and connectivity would, gradually.

    In each layer, or over all layers where the scope is ``global``; what that scope gives
    is a number of weights only, magnitudes of different layers compete as they are.
    """

    def step(self, epoch: int) -> Masks | None:
        """Removes as much as the cubic schedule says, in every ``update_every``-th epoch."""
        if epoch % self.config.update_every:
            return None
        share = cubic_share(epoch, self.config)
        self.log.append({"epoch": epoch, "share": share})
        return self._masks(share)

    def final_masks(self) -> Masks:
        """Returns the masks with everything removed."""
        return self._masks(1.0)

    @torch.no_grad()
    def _masks(self, share: float) -> Masks:
        weights = [weight.detach() for weight in self.weights]
        kept = self.projection.kept_counts(weights)
        now = [round(w.numel() - share * (w.numel() - k)) for w, k in zip(weights, kept)]
        if self.projection.options.connectivity_scope == "global":
            return self.named(strongest(weights, sum(now)))
        return self.named([strongest([w], k)[0] for w, k in zip(weights, now)])


def strongest(weights: Sequence[Tensor], count: int) -> list[Tensor]:
    """Marks the ``count`` largest magnitudes of all ``weights``: bool masks like them."""
    flat = torch.cat([weight.abs().reshape(-1) for weight in weights])
    mask = torch.zeros(flat.numel(), dtype=torch.bool, device=flat.device)
    mask[torch.argsort(flat, descending=True, stable=True)[:count]] = True
    parts = mask.split([weight.numel() for weight in weights])
    return [part.reshape(weight.shape) for part, weight in zip(parts, weights)]
