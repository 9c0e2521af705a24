"""Runs a network once on an example, and says what is wrong with one that it does not take."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from tvm_patdnn.error_lines import first_line
from tvm_patdnn.errors import TrainingError
from tvm_patdnn.training.wrapped_models import uncompiled

__all__ = ["Example", "in_inference_mode", "input_values", "run_example"]

Example = Tensor | tuple[Any, ...]  #: one batch; a tuple holds the values of several inputs

_SIZES = {1: "length", 2: "height, width", 3: "depth, height, width"}
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_REFUSALS = (RuntimeError, TypeError, ValueError, LookupError, AttributeError, AssertionError)


def input_values(model: nn.Module, example: Example) -> tuple[Any, ...]:
    """Returns the positional arguments that ``model`` is called with, on its device.

    Raises:
        TrainingError: the example is neither a tensor nor a tuple, or of another number of
            inputs than ``forward`` takes.
    """
    if not isinstance(example, Tensor | tuple):
        raise TrainingError(
            f"example: got {type(example).__name__}; expected a tensor, or a tuple of what "
            "forward takes, in its order"
        )
    values = example if isinstance(example, tuple) else (example,)
    takes = inspect.signature(model.forward)
    try:
        takes.bind(*values)
    except TypeError as error:
        raise TrainingError(
            f"example: got {len(values)} inputs, but forward takes "
            f"({', '.join(takes.parameters)}): {error}; give a tuple of its inputs, in its order"
        ) from error
    device = next((parameter.device for parameter in model.parameters()), None)
    return tuple(v.to(device) if isinstance(v, Tensor) else v for v in values)


@contextmanager
def in_inference_mode(model: nn.Module) -> Iterator[None]:
    """Lets ``model`` compute as it would when deployed, uncompiled; its modes come back."""
    modes = {module: module.training for module in model.modules()}
    try:
        with torch.no_grad(), uncompiled(model):
            model.eval()
            yield
    finally:
        for module, training in modes.items():
            module.training = training


def run_example(model: nn.Module, values: tuple[Any, ...]) -> None:
    """Runs ``model`` in inference mode.

    Args:
        values: as ``input_values`` returns them.

    Raises:
        TrainingError: the model does not take them; the message says where it fails, and what
            its first convolution takes.
    """
    running: list[str] = []
    ran: list[nn.Module] = []
    hooks = []
    for name, module in model.named_modules():
        hooks.append(module.register_forward_pre_hook(_noting(name, running, ran)))
        hooks.append(module.register_forward_hook(lambda *_: running.pop() and None))
    try:
        with in_inference_mode(model):
            model(*values)
    except _REFUSALS as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise
        raise TrainingError(_refusal(model, values, running, ran, error)) from error
    finally:
        for hook in hooks:
            hook.remove()


def _noting(name: str, running: list[str], ran: list[nn.Module]) -> Callable[..., None]:
    def note(module: nn.Module, _: Any) -> None:
        running.append(name)
        ran.append(module)

    return note


def _refusal(
    model: nn.Module,
    values: tuple[Any, ...],
    running: list[str],
    ran: list[nn.Module],
    error: Exception,
) -> str:
    where = f"at {running[-1]}: " if running and running[-1] else ""
    given = ", ".join(map(_described, values))
    return (
        f"example: the network does not take {given}: {where}{first_line(error)}; "
        f"{_expected(model, values, ran)}"
    )


def _described(value: Any) -> str:
    if not isinstance(value, Tensor):
        return type(value).__name__
    return f"{_name(value.dtype)} {list(value.shape)}"


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _expected(model: nn.Module, values: tuple[Any, ...], ran: list[nn.Module]) -> str:
    """Says what the first convolution takes, and how to get there."""
    first = next((m for m in (*ran, *model.modules()) if isinstance(m, _CONVOLUTIONS)), None)
    if first is None or len(values) != 1 or not isinstance(values[0], Tensor):
        return "give one batch of what forward takes, as in training"
    value, weight = values[0], first.weight
    sizes = _SIZES[weight.ndim - 2]
    expected = f"expected {_name(weight.dtype)} [n, {first.in_channels}, {sizes}]"
    if value.ndim == weight.ndim - 1:
        return f"{expected}; one image is a batch of one: give example[None]"
    if value.dtype != weight.dtype:
        return f"{expected}; give example.to({weight.dtype})"
    return f"{expected}, of a size that the network was made for"
