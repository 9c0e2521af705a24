"""Keeps removed weights at zero while the others train."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.optimizer import Optimizer, register_optimizer_step_post_hook

from tvm_patdnn.errors import TrainingError

__all__ = ["MaskKeeper", "share_outside"]


@torch.no_grad()
def share_outside(model: nn.Module, masks: Mapping[str, Tensor]) -> float:
    """Returns the norm of what ``masks`` remove, over that of all weights that they are of."""
    gone = whole = 0.0
    for name, mask in masks.items():
        weight = model.get_parameter(name).detach().float()
        gone += float((weight * ~mask.to(weight.device)).square().sum())
        whole += float(weight.square().sum())
    return float((gone / max(whole, 1e-30)) ** 0.5)


class MaskKeeper:
    """Holds masks of a model's parameters.

    From the moment a mask is set, the parameter is exactly zero where the mask is False:
    its gradient is cleared after each backward pass, and after each step of whatever
    optimiser trains it the parameter and the optimiser's state of the same shape
    (momentum, moving averages) are cleared too. So neither momentum nor weight decay
    brings a weight back.

    Args:
        model: trained elsewhere; its parameters stay the same objects.
    """

    def __init__(self, model: nn.Module) -> None:
        self._parameters = dict(model.named_parameters())
        self._removed: dict[str, Tensor] = {}
        self._hooks: list[Any] = []
        self._step_hook = register_optimizer_step_post_hook(_after_step(weakref.ref(self)))
        weakref.finalize(self, self._step_hook.remove)

    @property
    def masks(self) -> dict[str, Tensor]:
        """What is kept, by the name of the parameter: bool, on the CPU."""
        return {name: ~removed.cpu() for name, removed in self._removed.items()}

    def set(self, masks: Mapping[str, Tensor]) -> None:
        """Replaces all masks, and clears what they remove.

        Args:
            masks: by the name of the parameter, bool of its shape, True where it is kept.

        Raises:
            TrainingError: there is no such parameter, or its shape is another.
        """
        for name, mask in masks.items():
            self._check(name, mask)
        self.release()
        for name, mask in masks.items():
            parameter = self._parameters[name]
            self._removed[name] = ~mask.to(parameter.device)
            if parameter.requires_grad:  # the others get no gradient
                clearer = self._clearer(name)
                self._hooks.append(parameter.register_post_accumulate_grad_hook(clearer))
        self.apply()

    def release(self) -> None:
        """Lets all weights train again; they start from zero."""
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()
        self._removed.clear()

    def close(self) -> None:
        """Releases the weights, and watches no optimiser any more."""
        self.release()
        self._step_hook.remove()

    @torch.no_grad()
    def apply(self, optimizer: Optimizer | None = None) -> None:
        """Clears the removed weights; with ``optimizer``, those it trains and its state of them."""
        for name in self._removed if optimizer is None else self._trained_by(optimizer):
            parameter = self._parameters[name]
            removed = self._removed_of(name, parameter)
            parameter.masked_fill_(removed, 0)
            for value in _state(optimizer, parameter):
                value.masked_fill_(removed.to(value.device), 0)

    def _trained_by(self, optimizer: Optimizer) -> list[str]:
        trained = {id(p) for group in optimizer.param_groups for p in group["params"]}
        return [name for name in self._removed if id(self._parameters[name]) in trained]

    def _clearer(self, name: str) -> Callable[[Tensor], None]:
        keeper = weakref.ref(self)

        def clear(parameter: Tensor) -> None:
            alive = keeper()
            if alive is not None and parameter.grad is not None:
                parameter.grad.masked_fill_(alive._removed_of(name, parameter), 0)

        return clear

    def _removed_of(self, name: str, parameter: Tensor) -> Tensor:
        """Returns the mask where the parameter lies, which may have moved since."""
        removed = self._removed[name]
        if removed.device != parameter.device:
            removed = self._removed[name] = removed.to(parameter.device)
        return removed

    def _check(self, name: str, mask: Tensor) -> None:
        if name not in self._parameters:
            raise TrainingError(f"mask of {name!r}: the model has no such parameter")
        expected = tuple(self._parameters[name].shape)
        if tuple(mask.shape) != expected:
            raise TrainingError(
                f"mask of {name}: shape {tuple(mask.shape)}, but the parameter has {expected}"
            )


def _after_step(keeper: weakref.ref[MaskKeeper]) -> Callable[..., None]:
    def clear(optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        alive = keeper()
        if alive is not None and alive._removed:
            alive.apply(optimizer)

    return clear


def _state(optimizer: Optimizer | None, parameter: Tensor) -> list[Tensor]:
    if optimizer is None or parameter not in optimizer.state:
        return []
    values = optimizer.state[parameter].values()
    return [v for v in values if isinstance(v, Tensor) and v.shape == parameter.shape]
