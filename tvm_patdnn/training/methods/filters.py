"""Filter pruning: whole channels go, from all layers that write and read them.

The usual structured pruning (Li et al. 2017, arXiv 1608.08710), gradually, at the same
number of multiply-accumulates that patterns and connectivity would leave. The first layer
loses output channels too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from tvm_patdnn.errors import TrainingError
from tvm_patdnn.pruning.plan import FIXED_TABLE
from tvm_patdnn.training.methods.base import Masks, PruningMethod
from tvm_patdnn.training.methods.channel_spaces import ChannelSpace, find_channel_spaces
from tvm_patdnn.training.methods.cubic import cubic_share

__all__ = ["Filters"]

_STEPS = 40  # of the bisection


class Filters(PruningMethod):
    """See the module's description. Every space keeps the same share of its channels."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._modules: dict[str, Any] = dict(self.model.named_modules())
        self._spaces = [each for each in find_channel_spaces(self.model) if self._may_shrink(each)]
        self.keep = self._share_to_keep()

    def step(self, epoch: int) -> Masks | None:
        """Removes as many channels as the cubic schedule says."""
        if epoch % self.config.update_every:
            return None
        share = cubic_share(epoch, self.config)
        self.log.append({"epoch": epoch, "share": share})
        return self._masks(1 - share * (1 - self.keep))

    def final_masks(self) -> Masks:
        """Returns the masks with all channels removed that are to go."""
        return self._masks(self.keep)

    def state_dict(self) -> dict[str, Any]:
        """Returns the share of the channels to keep too."""
        return {**super().state_dict(), "keep": self.keep}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continues with the stored share."""
        super().load_state_dict(state)
        self.keep = float(state["keep"])

    def _may_shrink(self, space: ChannelSpace) -> bool:
        """Whether channels may go: not from layers that are skipped, fixed or frozen."""
        reasons = {plan.layer.name: plan.reason for plan in self.projection.plans}
        skipped = [name for name in space.producers if _is_skipped(reasons.get(name))]
        members = (*space.producers, *space.followers, *space.consumers)
        tables = [name for name in members if reasons.get(name) == FIXED_TABLE]
        values = [value for name in members for value in self._modules[name].parameters()]
        trained = all(value.requires_grad for value in values)
        return bool(space.producers) and not (space.fixed or skipped or tables) and trained

    def _share_to_keep(self) -> float:
        """Finds the share at which as many products are left as by the projections."""
        goal = self._projected_macs()
        if self._macs(0.0) > goal:
            raise TrainingError(
                f"filter pruning cannot go down to {goal:,} multiply-accumulates: with one "
                f"channel left in each space there are {self._macs(0.0):,}; lower the rate"
            )
        low, high = 0.0, 1.0
        for _ in range(_STEPS):
            middle = (low + high) / 2
            low, high = (middle, high) if self._macs(middle) <= goal else (low, middle)
        return low

    def _projected_macs(self) -> int:
        counts = dict(zip(self.projection.names, self.projection.kept_counts(self.weights)))
        total = 0
        for plan in self.projection.plans:
            if plan.layer.weight is not None:
                kept = counts.get(plan.layer.name, plan.layer.weight.size)
                total += kept * self.projection.positions.get(plan.layer.name, 1)
        return total

    def _macs(self, keep: float) -> int:
        """Counts the products that are left with a share of the channels."""
        written: dict[str, int] = {}
        read: dict[str, int] = {}
        for space in self._spaces:
            count = _count(keep, self._channels(space))
            written |= dict.fromkeys((*space.producers, *space.followers), count)
            read |= dict.fromkeys(space.consumers, count)
        total = 0
        for plan in self.projection.plans:
            name, weight = plan.layer.name, plan.layer.weight
            if weight is not None:
                out_c, in_c = written.get(name) or len(weight), read.get(name) or len(weight[0])
                kept = out_c * in_c * math.prod(weight.shape[2:])
                total += kept * self.projection.positions.get(name, 1)
        return total

    @torch.no_grad()
    def _masks(self, keep: float) -> Masks:
        masks: Masks = {}
        for space in self._spaces:
            channels = self._channels(space)
            order = torch.argsort(self._scores(space), descending=True, stable=True)
            kept = torch.zeros(channels, dtype=torch.bool)
            kept[order[: _count(keep, channels)]] = True
            for name in (*space.producers, *space.followers):
                for parameter, value in self._modules[name].named_parameters():
                    _keep(masks, f"{name}.{parameter}", value, kept, axis=0)
            for name in space.consumers:
                value = self._modules[name].weight
                per_channel = kept.repeat_interleave(value.shape[1] // channels)
                _keep(masks, f"{name}.weight", value, per_channel, axis=1)
        return masks

    def _channels(self, space: ChannelSpace) -> int:
        return int(self._modules[space.producers[0]].weight.shape[0])

    def _scores(self, space: ChannelSpace) -> Tensor:
        """Returns the squared norm of each channel's filters, each layer's adding up to 1."""
        scores = []
        for name in space.producers:
            layer: nn.Conv2d = self._modules[name]
            energy = layer.weight.detach().double().cpu().square().sum(dim=(1, 2, 3))
            scores.append(energy / energy.sum().clamp_min(1e-30))
        return torch.stack(scores).sum(dim=0)


def _count(keep: float, channels: int) -> int:
    return max(1, round(keep * channels))


def _keep(masks: Masks, name: str, value: Tensor, kept: Tensor, axis: int) -> None:
    """Narrows the mask of a parameter to ``kept`` along ``axis``."""
    shape = [1] * value.ndim
    shape[axis] = -1
    whole = masks.get(name, torch.ones(value.shape, dtype=torch.bool))
    masks[name] = whole & kept.reshape(shape)


def _is_skipped(reason: str | None) -> bool:
    return reason == "named in skip_layers" or (reason or "").startswith("grouped")
