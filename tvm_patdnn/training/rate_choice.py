"""Replaces one rate for all layers by one for each, as a goal asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import Tensor, nn

from tvm_patdnn.errors import TrainingError
from tvm_patdnn.training.costs import Costs, layer_cycles, layer_macs, macs_at_options
from tvm_patdnn.training.data.images import DataSet
from tvm_patdnn.training.layers import output_positions, trace_planes
from tvm_patdnn.training.options import PrunerConfig
from tvm_patdnn.training.projection import NetworkProjection
from tvm_patdnn.training.rates import allocate_by_sensitivity, allocate_uniformly, harms
from tvm_patdnn.training.sensitivity import RATES, Sensitivity, scan_sensitivity

__all__ = ["RateChooser", "RateGoal"]


@dataclass(frozen=True, kw_only=True)
class RateGoal:
    """What the layers' rates are chosen for.

    Args:
        macs: multiply-accumulates of all convolutions for one image; None for no such goal.
        speedup: dense over pruned cycles of the compiler's cost model.
        target: what these cycles are of; None for this machine.
        scan_images: training images to measure sensitivities on; 0 gives all layers the
            same rate. With a scan and no goal the products are those of the uniform rate.

    Raises:
        TrainingError: two goals, or a value is out of its range.
    """

    macs: float | None = None
    speedup: float | None = None
    target: str | None = None
    scan_images: int = 0

    def __post_init__(self) -> None:
        """Checks the values."""
        if self.macs is not None and self.speedup is not None:
            raise TrainingError("two goals: give target MACs or a target speed-up, not both")
        if self.macs is not None and not self.macs > 0:
            raise TrainingError(f"macs={self.macs}: expected a positive number")
        if self.speedup is not None and not self.speedup > 1:
            raise TrainingError(f"speedup={self.speedup}: expected more than 1")
        if self.scan_images < 0:
            raise TrainingError(f"scan_images={self.scan_images}: expected 0 or more")

    @property
    def asked_for(self) -> bool:
        """Whether there is anything to choose."""
        return self.macs is not None or self.speedup is not None or self.scan_images > 0


class RateChooser:
    """Chooses the rates; called with the dense network, returns the options with them.

    Layers with a rate given by hand keep it.

    Args:
        goal: what for.
        config: the options to fill in.
        data: to measure sensitivities on.
        tick: called after each measurement of a scan.

    Attributes:
        scan: the sensitivities, once measured.
    """

    def __init__(
        self,
        goal: RateGoal,
        config: PrunerConfig,
        data: DataSet,
        tick: Callable[[], None] = lambda: None,
    ) -> None:
        self.goal, self.config, self.data, self._tick = goal, config, data, tick
        self.scan: list[Sensitivity] = []

    def __call__(self, model: nn.Module, example: Tensor) -> PrunerConfig:
        """Returns the options with a rate for every layer to prune.

        Raises:
            TrainingError: the goal cannot be reached.
        """
        options = self.config.prune
        projection = NetworkProjection.of_model(model, options, output_positions(model, example))
        costs, budget = self._costs(model, projection, example)
        by_hand = {plan.layer.name: plan.rate for plan in projection.chosen if plan.own_rate}
        free = {name: by_rate for name, by_rate in costs.items() if name not in by_hand}
        if self.goal.scan_images:
            harm = harms(self._scan(model, projection))
            rates = allocate_by_sensitivity(free, harm, budget)
        else:
            rates = allocate_uniformly(free, budget)
        return replace(self.config, prune=replace(options, per_layer={**rates, **by_hand}))

    def _scan(self, model: nn.Module, projection: NetworkProjection) -> list[Sensitivity]:
        images = self.data.train.first(self.goal.scan_images, seed=1)
        self.scan = scan_sensitivity(model, projection, self.data, images, tick=self._tick)
        return self.scan

    def _costs(
        self, model: nn.Module, projection: NetworkProjection, example: Tensor
    ) -> tuple[Costs, float]:
        """Returns the costs of layers at rates, and what those without a given rate may cost."""
        by_hand = {plan.layer.name: plan.rate for plan in projection.chosen if plan.own_rate}
        rates = sorted({*RATES, *by_hand.values()})
        if self.goal.speedup is not None:
            planes = trace_planes(model, example)
            costs, dense = layer_cycles(model, projection, rates, planes, self.goal.target)
            spared = sum(cycles for name, cycles in dense.items() if name not in costs)
            budget = sum(dense.values()) / self.goal.speedup - spared
        else:
            costs = layer_macs(model, projection, rates)
            budget = macs_at_options(model, projection)
            if self.goal.macs is not None:
                budget = self.goal.macs - _left_alone_macs(projection)
        given = sum(costs[name][rate] for name, rate in by_hand.items())
        return {n: {r: c[r] for r in RATES} for n, c in costs.items()}, budget - given


def _left_alone_macs(projection: NetworkProjection) -> float:
    return float(
        sum(
            plan.layer.weight.size * projection.positions[plan.layer.name]
            for plan in projection.plans
            if plan.reason is not None and plan.layer.weight is not None
        )
    )
