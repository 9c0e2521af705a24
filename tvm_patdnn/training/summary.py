"""What pruning left of a network: per layer, by weights and by multiply-accumulates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from tvm_patdnn.pruning.report import PrunedLayer, describe_layer, format_table
from tvm_patdnn.training.layers import conv_modules, weight_array
from tvm_patdnn.training.projection import NetworkProjection

__all__ = ["Summary", "summarise"]


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The convolutions of a network after pruning.

    Attributes:
        layers: one row each.
        positions: how often each weight of a layer is used for one image, in the order of
            ``layers``; None where it is not known.
        plan: what would be left at the end if the weights stayed as they are; None where
            everything is removed that is to go.
    """

    layers: Sequence[PrunedLayer]
    positions: Sequence[int] | None = None
    plan: Summary | None = None

    @property
    def dense_weights(self) -> int:
        """Weights of all convolutions before pruning."""
        return sum(layer.dense_weights for layer in self.layers)

    @property
    def kept_weights(self) -> int:
        """Weights that are not zero."""
        return sum(layer.kept_weights for layer in self.layers)

    @property
    def dense_macs(self) -> int | None:
        """Multiply-accumulates of all convolutions for one image."""
        return self._macs(lambda layer: layer.dense_weights)

    @property
    def kept_macs(self) -> int | None:
        """The same after pruning."""
        return self._macs(lambda layer: layer.kept_weights)

    @property
    def compression_weights(self) -> float:
        """Dense weights over kept weights of all convolutions."""
        return self.dense_weights / max(1, self.kept_weights)

    @property
    def compression_macs(self) -> float | None:
        """Dense over kept multiply-accumulates of all convolutions."""
        dense, kept = self.dense_macs, self.kept_macs
        return None if dense is None or kept is None else dense / max(1, kept)

    @property
    def compression_3x3(self) -> float:
        """Dense over kept weights of the 3x3 layers that were to be pruned."""
        chosen = [x for x in self.layers if x.shape[2:] == (3, 3) and x.reason is None]
        dense = sum(layer.dense_weights for layer in chosen)
        return dense / max(1, sum(layer.kept_weights for layer in chosen)) if chosen else 1.0

    def __str__(self) -> str:
        if self.plan is not None:
            return (
                f"what will be left, judged by the weights as they are:\n{self.plan}\n"
                f"so far: {self.compression_weights:.2f}x"
            )
        text = format_table(self.layers)
        if self.compression_macs is None:
            return text
        return f"{text}\nby multiply-accumulates: {self.compression_macs:.2f}x"

    def _macs(self, weights: Callable[[PrunedLayer], int]) -> int | None:
        if self.positions is None:
            return None
        return sum(weights(layer) * n for layer, n in zip(self.layers, self.positions))


def summarise(
    model: nn.Module,
    projection: NetworkProjection,
    masks: Mapping[str, Tensor] | None = None,
    plan: Summary | None = None,
) -> Summary:
    """Counts what is left in the convolutions of ``model``.

    Args:
        masks: what to count as kept, by the name of the parameter; None for what is there.
        plan: what will be left at the end.
    """
    modules = conv_modules(model)
    layers = [
        describe_layer(each.layer.name, _left(modules, each.layer.name, masks), each.reason)
        for each in projection.plans
    ]
    known = projection.positions
    positions = [known.get(layer.name, 0) for layer in layers] if known else None
    return Summary(layers=layers, positions=positions, plan=plan)


def _left(
    modules: Mapping[str, nn.Module], name: str, masks: Mapping[str, Tensor] | None
) -> np.ndarray:
    weight, mask = weight_array(modules[name]), (masks or {}).get(f"{name}.weight")
    return weight if mask is None else weight * mask.cpu().numpy()
