"""Gradual pruning by magnitude: ever more kernels go, ever more get their pattern."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from tvm_patdnn.pruning.connectivity import kernel_energy
from tvm_patdnn.pruning.filter_blocks import FilterBlocks
from tvm_patdnn.training.layers import as_float_array
from tvm_patdnn.training.methods.base import Masks, PruningMethod
from tvm_patdnn.training.methods.cubic import cubic_share

__all__ = ["Gradual"]


class Gradual(PruningMethod):
    """Follows the cubic schedule in both kinds of pruning.

    A kernel gets its pattern the earlier the smaller the part of its squared norm that it
    loses by it. What is gone stays gone.
    """

    def step(self, epoch: int) -> Masks | None:
        """Removes as much as the schedule says, in every ``update_every``-th epoch."""
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
        by_pattern = self.projection.pattern_masks(weights)
        blocks = [self.projection.blocks[name] for name in self.projection.names]
        shaped = [_easiest(w, m, share, b) for w, m, b in zip(weights, by_pattern, blocks)]
        kept = [weight * mask for weight, mask in zip(weights, shaped)]
        plans = [
            replace(plan, rate=1 / (1 - share * (1 - 1 / plan.rate)))
            for plan in self.projection.chosen
        ]
        kernels = self.projection.kernel_masks(kept, plans)
        return self.named([a & b & (w != 0) for a, b, w in zip(shaped, kernels, weights)])


def _easiest(weight: Tensor, mask: Tensor, share: float, blocks: FilterBlocks) -> Tensor:
    """Gives ``share`` of the kernels their pattern: those that lose the least by it.

    Args:
        blocks: filters that get their patterns together.
    """
    before, after = (_energy(each, blocks) for each in (weight, weight * mask))
    lost = 1 - after / np.maximum(before, 1e-30)
    chosen = np.zeros(lost.size, bool)
    chosen[np.argsort(lost.reshape(-1), kind="stable")[: round(share * lost.size)]] = True
    of_filters = blocks.spread(chosen.reshape(lost.shape))
    return mask | ~torch.from_numpy(of_filters).to(weight.device)[:, :, None, None]


def _energy(weight: Tensor, blocks: FilterBlocks) -> np.ndarray:
    """Returns the squared norm of each kernel of a block: (blocks, in_c)."""
    return kernel_energy(blocks.norms(as_float_array(weight)))
