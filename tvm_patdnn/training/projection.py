"""The two projections of a torch network, with a pattern set that stays the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from tvm_patdnn.errors import PruningError
from tvm_patdnn.pruning.filter_blocks import FilterBlocks
from tvm_patdnn.pruning.network_projection import (
    PatternSets,
    connectivity_masks,
    filter_blocks,
    pattern_masks,
    pattern_sets,
)
from tvm_patdnn.pruning.options import PruneOptions
from tvm_patdnn.pruning.plan import LayerPlan, plan_layers
from tvm_patdnn.training.layers import as_float_array, conv_modules, describe_convolutions
from tvm_patdnn.training.wrapped_models import check_ordinary_weights

__all__ = ["NetworkProjection"]


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkProjection:
    """What the options ask of each layer of one network.

    Attributes:
        options: as given.
        plans: of all convolutions.
        patterns: the pattern set of each kernel size.
        blocks: the blocks of filters of each layer to prune, by its path.
        positions: how often each weight of a layer is used for one image, by layer and in
            the order of running; empty where no example of the input is known.
    """

    options: PruneOptions
    plans: tuple[LayerPlan, ...]
    patterns: PatternSets = field(default_factory=dict)
    blocks: dict[str, FilterBlocks] = field(default_factory=dict)
    positions: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of_model(
        cls, model: nn.Module, options: PruneOptions, positions: dict[str, int] | None = None
    ) -> NetworkProjection:
        """Plans the layers of ``model`` and mines its pattern set, if none is given.

        Raises:
            PruningError: an option names a layer that is not there or cannot be pruned,
                a weight is not finite, or there is nothing to prune.
            TrainingError: a weight to prune is not a parameter.
        """
        plans = tuple(plan_layers(describe_convolutions(model, list(positions or {})), options))
        chosen = [plan for plan in plans if plan.reason is None]
        if not chosen:
            why = "; ".join(f"{plan.layer.name}: {plan.reason}" for plan in plans[:5])
            raise PruningError(f"nothing to prune in this network ({why or 'no convolution'})")
        check_ordinary_weights(model, [plan.layer.name for plan in chosen])
        weights = [plan.layer.weight for plan in chosen if plan.layer.weight is not None]
        blocks = filter_blocks(weights, chosen, options)
        return cls(
            options=options,
            plans=plans,
            patterns=pattern_sets(weights, blocks, options),
            blocks={plan.layer.name: each for plan, each in zip(chosen, blocks, strict=True)},
            positions=positions or {},
        )

    @property
    def chosen(self) -> tuple[LayerPlan, ...]:
        """The plans of the layers to prune."""
        return tuple(plan for plan in self.plans if plan.reason is None)

    @property
    def names(self) -> tuple[str, ...]:
        """The paths of the layers to prune."""
        return tuple(plan.layer.name for plan in self.chosen)

    def weights(self, model: nn.Module) -> list[Tensor]:
        """Returns the weights of the layers to prune: the parameters themselves."""
        modules = conv_modules(model)
        found = [modules[name].weight for name in self.names]
        return [weight for weight in found if isinstance(weight, Tensor)]

    def has_patterns(self, weight: Tensor) -> bool:
        """Whether the kernels of ``weight`` (out_c, in_c, kh, kw) get patterns."""
        return tuple(weight.shape[2:]) in self.patterns

    def pattern_masks(self, weights: Sequence[Tensor]) -> list[Tensor]:
        """Marks the pattern of the largest norm of every kernel, in bool masks like ``weights``."""
        arrays = [as_float_array(weight) for weight in weights]
        masks = pattern_masks(arrays, self._blocks(), self.patterns)
        return [_like(mask, weight) for mask, weight in zip(masks, weights)]

    def kernel_masks(
        self, weights: Sequence[Tensor], plans: Sequence[LayerPlan] | None = None
    ) -> list[Tensor]:
        """Marks the strongest kernels of each layer, in bool masks like ``weights``."""
        arrays = [as_float_array(weight) for weight in weights]
        masks = connectivity_masks(arrays, self._blocks(), plans or self.chosen, self.options)
        return [
            _like(mask[:, :, None, None], weight).expand_as(weight).clone()
            for mask, weight in zip(masks, weights)
        ]

    def masks(self, weights: Sequence[Tensor]) -> list[Tensor]:
        """Marks what stays after both projections: first patterns, then kernels."""
        by_pattern = self.pattern_masks(weights)
        kept = [weight.detach() * mask for weight, mask in zip(weights, by_pattern)]
        return [a & b for a, b in zip(by_pattern, self.kernel_masks(kept))]

    def kept_counts(self, weights: Sequence[Tensor]) -> list[int]:
        """Returns how many weights of each layer stay."""
        return [int(mask.sum()) for mask in self.masks(weights)]

    def _blocks(self) -> list[FilterBlocks]:
        return [self.blocks[name] for name in self.names]


def _like(mask: np.ndarray, weight: Tensor) -> Tensor:
    return torch.from_numpy(mask).to(weight.device)
