"""Options of the pruner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, get_args

from tvm_patdnn.errors import TrainingError
from tvm_patdnn.pruning.options import PruneOptions

__all__ = ["METHODS", "Method", "PrunerConfig"]

Method = Literal["admm", "oneshot", "gradual", "reweighted", "unstructured", "filter", "dense"]
METHODS: tuple[Method, ...] = get_args(Method)


@dataclass(frozen=True, kw_only=True)
class PrunerConfig:
    """How a network is pruned while it trains.

    Args:
        method: ``admm`` (PatDNN, section 4), ``oneshot`` (removes at the start), ``gradual``
            (removes ever more, by a cubic schedule), ``reweighted`` (penalises what is weak
            ever harder); as comparisons of the same compression ``unstructured`` (single
            weights by magnitude), ``filter`` (whole channels); and ``dense``, which prunes
            nothing.
        prune: which layers, patterns and rates.
        epochs: of the pruning phase; ``finalize`` is called after them.
        update_every: epochs between updates of the projections (admm, reweighted) or of
            the masks (gradual, unstructured, filter).
        rho: the penalty's weight in the first stage of admm.
        rho_factor: by which it rises from stage to stage.
        rho_stages: stages of equal length. The defaults are the recipe that PatDNN's
            authors published: 1e-4, 1e-3, 1e-2, 1e-1.
        restart_duals: starts every stage of admm with dual variables of zero, instead of
            scaling them to the new rho.
        strength: of the reweighted penalty; the sum over weights is a few times their
            number at the start.

    Raises:
        TrainingError: a value is out of its range.
    """

    method: Method = "admm"
    prune: PruneOptions = field(default_factory=PruneOptions)
    epochs: int = 30
    update_every: int = 3
    rho: float = 1e-4
    rho_factor: float = 10.0
    rho_stages: int = 4
    restart_duals: bool = False
    strength: float = 1e-5

    def __post_init__(self) -> None:
        """Checks the values."""
        if self.method not in METHODS:
            raise TrainingError(
                f"method={self.method!r} is unknown; choose one of {', '.join(METHODS)}"
            )
        checks: dict[str, tuple[Callable[[float], bool], str]] = {
            "epochs": (lambda v: v >= 1, "at least 1"),
            "update_every": (lambda v: v >= 1, "at least 1 epoch"),
            "rho": (lambda v: v > 0, "a positive number"),
            "rho_factor": (lambda v: v >= 1, "at least 1, as the penalty never falls"),
            "rho_stages": (lambda v: v >= 1, "at least 1"),
            "strength": (lambda v: v > 0, "a positive number"),
        }
        for name, (holds, expected) in checks.items():
            if not holds(getattr(self, name)):
                raise TrainingError(f"{name}={getattr(self, name)}: expected {expected}")
