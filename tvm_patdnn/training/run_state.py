"""How far a training run is, and what it found on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tvm_patdnn.training.evaluation import Accuracy

__all__ = ["Row", "RunState"]

Row = dict[str, Any]  #: of the history: one epoch


@dataclass(kw_only=True)
class RunState:
    """What a run changes but for the network, the pruner and the optimiser.

    Attributes:
        phase, epoch: to do next, both from 0.
        history: one row per epoch.
        dense, projected, final: accuracy before the pruning phase, right after the hard
            projection, and at the end.
        dense_epochs: that the dense network was pretrained for.
        seconds: of training, in this process and those before.
    """

    phase: int = 0
    epoch: int = 0
    history: list[Row] = field(default_factory=list)
    dense: Accuracy | None = None
    projected: Accuracy | None = None
    final: Accuracy | None = None
    dense_epochs: int = 0
    seconds: float = 0.0

    @property
    def started(self) -> bool:
        """Whether anything is done."""
        return (self.phase, self.epoch) != (0, 0)

    def to_dict(self) -> dict[str, Any]:
        """Returns it as numbers, strings and containers of these."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> RunState:
        """Makes it from what ``to_dict`` returned."""
        accuracies = {
            name: Accuracy(**stored[name]) if stored[name] else None
            for name in ("dense", "projected", "final")
        }
        return cls(**{**stored, **accuracies})
