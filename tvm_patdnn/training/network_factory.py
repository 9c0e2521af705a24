"""Makes a network from ``module:factory``."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from tvm_patdnn.errors import TrainingError
from tvm_patdnn.training.data.images import DataSet

__all__ = ["input_channels", "make_checked_network", "make_network"]


def make_network(factory: str, *, classes: int, seed: int) -> nn.Module:
    """Calls the factory, with ``num_classes`` where it takes that.

    Args:
        factory: such as ``models.resnet:resnet20``, importable from where the command runs.
        classes: how many scores are wanted.
        seed: of the weights.

    Raises:
        TrainingError: there is no such factory, or it makes something else.
    """
    build = _find(factory)
    torch.manual_seed(seed)
    try:
        takes = inspect.signature(build).parameters
        network = build(num_classes=classes) if "num_classes" in takes else build()
    except TypeError as error:
        raise TrainingError(
            f"network {factory!r}: cannot be made: {error}; expected a factory without "
            "arguments, or with num_classes"
        ) from error
    except Exception as error:  # any: it is the user's code
        raise TrainingError(f"network {factory!r}: its factory failed: {_said(error)}") from error
    if not isinstance(network, nn.Module):
        raise TrainingError(
            f"network {factory!r}: made a {type(network).__name__}; expected a torch.nn.Module"
        )
    return network


def make_checked_network(
    factory: str, data: DataSet, *, seed: int, device: torch.device
) -> nn.Module:
    """Makes a network for ``data`` on ``device``, and tries it.

    Raises:
        TrainingError: as ``make_network``, or it does not take the images, or its scores
            are not those of the data's classes.
    """
    with torch.random.fork_rng(devices=[]):
        network = make_network(factory, classes=len(data.classes), seed=seed).to(device)
    for parameter in network.parameters():
        if parameter.ndim == 4:  # what Module.to does; convolutions are a third faster so
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    images = torch.zeros((2, input_channels(network), *data.train.shape[1:]), device=device)
    shape = _shape_of_scores(network, images, factory)
    if shape != (2, len(data.classes)):
        raise TrainingError(
            f"network {factory!r}: gives {shape} for 2 images; expected "
            f"(2, {len(data.classes)}), the scores of the data's classes"
        )
    return network


@torch.no_grad()
def _shape_of_scores(network: nn.Module, images: Tensor, factory: str) -> tuple[int, ...]:
    try:
        scores: Tensor = network.eval()(images)
        return tuple(scores.shape)
    except Exception as error:  # any: it is the user's code
        raise TrainingError(
            f"network {factory!r}: does not take images of shape {tuple(images.shape)}: "
            f"{_said(error)}"
        ) from error


def _said(error: Exception) -> str:
    """Returns what somebody else's code raised, and where."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    said = (str(error).strip().splitlines() or ["no message"])[0]
    return f"{type(error).__name__}: {said} ({place.filename}:{place.lineno})"


def input_channels(network: nn.Module) -> int:
    """Returns the channels that the first convolution takes; 3 where there is none."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            return module.in_channels
    return 3


def _find(factory: str) -> Callable[..., Any]:
    module_name, colon, name = factory.partition(":")
    if not (module_name and colon and name):
        raise TrainingError(
            f"network {factory!r}: expected MODULE:FACTORY, such as models.resnet:resnet20"
        )
    here = os.getcwd()
    if here not in sys.path:  # as `python -m` does; the command's own folder is of no use
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise TrainingError(
            f"network {factory!r}: {module_name} cannot be imported: {error}; run the command "
            "where the module is, or set PYTHONPATH"
        ) from error
    except Exception as error:  # any: it is the user's code
        raise TrainingError(
            f"network {factory!r}: importing {module_name} failed: {_said(error)}"
        ) from error
    found = getattr(module, name, None)
    if not callable(found):
        raise TrainingError(f"network {factory!r}: {module_name} has no factory {name}")
    return found
