"""The convolutions of a torch network, and what is to be done with each."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from tvm_patdnn.pruning.conv_layers import ConvLayer
from tvm_patdnn.training.example_run import Example, input_values, run_example

__all__ = [
    "Plane",
    "as_float_array",
    "conv_modules",
    "describe_convolutions",
    "output_positions",
    "trace_planes",
    "weight_array",
]

_CONVOLUTIONS: tuple[type[nn.Module], ...] = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


class Plane(NamedTuple):
    """What a convolution works on.

    Attributes:
        input, output: (height, width).
        calls: how often the layer runs for one batch.
    """

    input: tuple[int, ...]
    output: tuple[int, ...]
    calls: int


def conv_modules(model: nn.Module) -> dict[str, nn.Module]:
    """Returns the convolutions by their path in ``model``, in the order of definition."""
    return {name: m for name, m in model.named_modules() if isinstance(m, _CONVOLUTIONS)}


def describe_convolutions(model: nn.Module, order: list[str] | None = None) -> list[ConvLayer]:
    """Describes the convolutions as the planning of one-shot pruning takes them.

    Args:
        order: their paths in the order they run, where it is known; else the order of
            definition decides which is the first.
    """
    modules = conv_modules(model)
    first = next(iter(order or modules), None)
    owners = _weight_owners(model)
    return [
        ConvLayer(
            names=(name, f"{name}.weight"),
            weight=weight_array(module),
            tensor=None,
            group=int(getattr(module, "groups", 1)),
            first=name == first,
            other_use=_other_owner(name, owners.get(id(module.weight), [])),
            frozen=isinstance(module.weight, nn.Parameter) and not module.weight.requires_grad,
        )
        for name, module in modules.items()
    ]


def weight_array(module: nn.Module) -> np.ndarray:
    """Returns a copy of a layer's weight on the CPU, bfloat16 as float32."""
    weight = module.weight
    assert isinstance(weight, Tensor)
    known = weight.float() if weight.dtype == torch.bfloat16 else weight
    return known.detach().cpu().numpy().copy()


def as_float_array(weight: Tensor) -> np.ndarray:
    """Returns a weight as a contiguous float32 array on the CPU, a view where it is one."""
    array: np.ndarray = weight.detach().cpu().float().contiguous().numpy()
    return array


def trace_planes(model: nn.Module, example: Example) -> dict[str, Plane]:
    """Runs ``model`` once and notes what each convolution is given.

    Args:
        example: one batch (n, c, h, w) as the model takes it, or a tuple of several inputs.

    Returns:
        By the layer's path, in the order of running.

    Raises:
        TrainingError: the model does not take the example.
    """
    planes: dict[str, Plane] = {}
    values = input_values(model, example)
    few = (values[0][:1],) if isinstance(example, Tensor) and example.ndim else values

    def recorder(name: str) -> Callable[..., None]:
        def record(module: Any, inputs: Any, output: Tensor) -> None:
            calls = planes[name].calls + 1 if name in planes else 1
            planes[name] = Plane(tuple(inputs[0].shape[2:]), tuple(output.shape[2:]), calls)

        return record

    hooks = [m.register_forward_hook(recorder(n)) for n, m in conv_modules(model).items()]
    try:
        run_example(model, few)
    finally:
        for hook in hooks:
            hook.remove()
    return planes


def output_positions(model: nn.Module, example: Example) -> dict[str, int]:
    """Runs ``model`` once and counts the positions that each convolution computes.

    Returns:
        Positions of one image by the layer's path, in the order of running. A position
        costs as many multiply-accumulates as the weight has elements.
    """
    planes = trace_planes(model, example).items()
    return {name: plane.calls * math.prod(plane.output) for name, plane in planes}


def _weight_owners(model: nn.Module) -> dict[int, list[str]]:
    owners: dict[int, list[str]] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        owners.setdefault(id(parameter), []).append(name)
    return owners


def _other_owner(name: str, owners: list[str]) -> str | None:
    return next((owner for owner in owners if owner != f"{name}.weight"), None)
