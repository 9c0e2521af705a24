"""The extended ADMM of PatDNN (section 4.2): weights are drawn towards both constraints.

The loss of the network is minimised subject to two constraints on each weight W: every
kernel has a pattern of the set, and only the strongest kernels are left. Each constraint
i has an auxiliary variable Z_i that fulfils it and a scaled dual variable U_i; training
adds rho/2 ||W - Z_i + U_i||^2, and from time to time

    Z_i = projection_i(W + U_i)        U_i = U_i + W - Z_i

As rho rises, U is scaled down by as much, since it is the dual variable over rho (Boyd et
al. 2011, "Distributed Optimization and Statistical Learning via ADMM", section 3.4.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from tvm_patdnn.training.methods.base import Masks, PruningMethod

__all__ = ["Admm"]

_CONSTRAINTS = ("pattern", "connectivity")


@dataclass(eq=False)
class _Pair:
    """The auxiliary and the dual variable of one constraint of one layer, both like W."""

    z: Tensor
    u: Tensor


class Admm(PruningMethod):
    """See the module's description. The variables start as Z = projection(W), U = 0."""

    draws_by = "rho, or epochs"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.rho = self.config.rho
        self.pairs: dict[tuple[str, str], _Pair] = {}
        for constraint in _CONSTRAINTS:
            for name, weight, z in self._projected(constraint):
                self.pairs[constraint, name] = _Pair(z, torch.zeros_like(weight))

    def step(self, epoch: int) -> Masks | None:
        """Updates Z and U every few epochs, and rho at the beginning of a stage."""
        if epoch and epoch % self.config.update_every == 0:
            self.update()
            self._log(epoch)
        self._raise_rho(epoch)
        return None

    def penalty(self) -> Tensor | None:
        """Returns the sum of rho/2 ||W - Z + U||^2 over layers and constraints."""
        by_name = dict(zip(self.projection.names, self.weights))
        terms = [
            (by_name[name] - (pair.z - pair.u).to(by_name[name].device)).square().sum()
            for (_, name), pair in self.pairs.items()
        ]
        return self.rho / 2 * torch.stack(terms).sum() if terms else None

    @torch.no_grad()
    def update(self) -> None:
        """Projects W + U, and adds to U what the projection took away."""
        by_name = dict(zip(self.projection.names, self.weights))
        for constraint in _CONSTRAINTS:
            for name, _, z in self._projected(constraint):
                pair = self.pairs[constraint, name]
                pair.z = z
                pair.u = pair.u.to(z.device) + by_name[name].detach() - z

    def final_masks(self) -> Masks:
        """Returns the masks of the trained weights: patterns, then kernels."""
        return self.project()

    def residuals(self) -> dict[str, float]:
        """Returns, per constraint, how far W is from Z: ||W - Z|| / ||W|| over all layers."""
        by_name = dict(zip(self.projection.names, self.weights))
        found = {}
        for constraint in _CONSTRAINTS:
            pairs = [(by_name[n], p.z) for (c, n), p in self.pairs.items() if c == constraint]
            if pairs:
                apart = sum(float((w.detach() - z.to(w.device)).square().sum()) for w, z in pairs)
                size = sum(float(w.detach().square().sum()) for w, _ in pairs)
                found[constraint] = (apart / max(size, 1e-30)) ** 0.5
        return found

    def state_dict(self) -> dict[str, Any]:
        """Returns rho and the variables too."""
        pairs = {"/".join(key): (p.z, p.u) for key, p in self.pairs.items()}
        return {**super().state_dict(), "rho": self.rho, "pairs": pairs}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continues with the stored variables."""
        super().load_state_dict(state)
        self.rho = float(state["rho"])
        device = self.weights[0].device
        for key, (z, u) in state["pairs"].items():
            constraint, _, name = key.partition("/")
            self.pairs[constraint, name] = _Pair(z.to(device), u.to(device))

    def _projected(self, constraint: str) -> list[tuple[str, Tensor, Tensor]]:
        """Returns (layer, W, projection of W + U) of the layers with this constraint."""
        names, weights = self.projection.names, self.weights
        with torch.no_grad():
            moved = [self._plus_dual(constraint, n, w) for n, w in zip(names, weights)]
            masks = (
                self.projection.pattern_masks(moved)
                if constraint == "pattern"
                else self.projection.kernel_masks(moved)
            )
        return [
            (name, weight, value * mask)
            for name, weight, value, mask in zip(names, weights, moved, masks)
            if self._constrained(constraint, name, weight)
        ]

    def _plus_dual(self, constraint: str, name: str, weight: Tensor) -> Tensor:
        pair = self.pairs.get((constraint, name))
        return weight.detach() + pair.u.to(weight.device) if pair else weight.detach()

    def _constrained(self, constraint: str, name: str, weight: Tensor) -> bool:
        if constraint == "pattern":
            return self.projection.has_patterns(weight)
        rates = {plan.layer.name: plan.rate for plan in self.projection.chosen}
        return rates[name] > 1

    def _raise_rho(self, epoch: int) -> None:
        config = self.config
        stage = min(epoch * config.rho_stages // config.epochs, config.rho_stages - 1)
        rho = config.rho * config.rho_factor**stage
        if rho != self.rho and config.restart_duals:
            self._restart()
        for pair in self.pairs.values():
            pair.u = pair.u * (self.rho / rho)
        self.rho = rho

    @torch.no_grad()
    def _restart(self) -> None:
        """Forgets the duals, and projects the weights as they are."""
        for pair in self.pairs.values():
            pair.u = torch.zeros_like(pair.u)
        for constraint in _CONSTRAINTS:
            for name, _, z in self._projected(constraint):
                self.pairs[constraint, name].z = z

    def _log(self, epoch: int) -> None:
        for constraint, residual in self.residuals().items():
            self.log.append(
                {"epoch": epoch, "constraint": constraint, "rho": self.rho, "residual": residual}
            )
