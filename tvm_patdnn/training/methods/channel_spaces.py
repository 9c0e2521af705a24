"""Which layers of a network share channels, so that a channel can go from all of them.

A *channel space* is a set of values whose channel c is the same feature: what a
convolution writes, through batch norm and activations, and what it is added to. A channel
can be removed from all that write it and all that read it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import fx, nn
from torch.nn import functional as F

from tvm_patdnn.errors import TrainingError

__all__ = ["ChannelSpace", "find_channel_spaces"]

_PASSING: tuple[type[nn.Module], ...] = (
    *(nn.Identity, nn.ReLU, nn.ReLU6, nn.SiLU, nn.GELU, nn.Hardswish, nn.LeakyReLU),
    *(nn.Dropout, nn.Dropout2d, nn.Flatten),
    *(nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d),
)
_PASSING_CALLS: frozenset[Any] = frozenset(
    {F.relu, F.relu6, F.silu, F.gelu, F.dropout, torch.relu, torch.flatten, "relu", "flatten"}
    | {F.max_pool2d, F.avg_pool2d, F.adaptive_avg_pool2d, "contiguous"}
)
_ADDING: frozenset[Any] = frozenset({operator.add, operator.iadd, torch.add, "add", "add_"})


@dataclass(eq=False)
class ChannelSpace:
    """One space.

    Attributes:
        producers: convolutions that write it.
        followers: batch norms and depthwise convolutions within it.
        consumers: convolutions and linear layers that read it.
        fixed: something else uses it, so no channel can go.
    """

    producers: list[str] = field(default_factory=list)
    followers: list[str] = field(default_factory=list)
    consumers: list[str] = field(default_factory=list)
    fixed: bool = False


def find_channel_spaces(model: nn.Module) -> list[ChannelSpace]:
    """Finds the spaces of ``model``, those that are fixed too.

    Raises:
        TrainingError: torch.fx cannot trace the model.
    """
    try:
        graph = fx.Tracer().trace(model)
    except Exception as error:  # whatever the model's code raises for a proxy
        raise TrainingError(
            "filter pruning needs a network that torch.fx can trace; it cannot trace this one: "
            f"{error}"
        ) from error
    return _Walk(model).spaces_of(graph)


class _Walk:
    def __init__(self, model: nn.Module) -> None:
        self._modules = dict(model.named_modules())
        self._space: dict[fx.Node, ChannelSpace] = {}

    def spaces_of(self, graph: fx.Graph) -> list[ChannelSpace]:
        for node in graph.nodes:
            self._space[node] = self._visit(node)
        return list({id(space): space for space in self._space.values()}.values())

    def _visit(self, node: fx.Node) -> ChannelSpace:
        inputs = [self._space[source] for source in node.all_input_nodes]
        if node.op == "call_module":
            return self._visit_module(str(node.target), inputs)
        if node.target in _PASSING_CALLS and len(inputs) == 1:
            return inputs[0]
        if node.target in _ADDING and len(inputs) == 2:
            return self._merge(*inputs)
        return _fixed(inputs)

    def _visit_module(self, name: str, inputs: list[ChannelSpace]) -> ChannelSpace:
        module = self._modules[name]
        if len(inputs) == 1:
            for kind, visit in self._rules():
                if isinstance(module, kind):
                    return visit(name, module, inputs[0])
        return _fixed(inputs)

    def _rules(self) -> list[tuple[Any, Callable[..., ChannelSpace]]]:
        return [
            (nn.Conv2d, self._convolution),
            (nn.BatchNorm2d, self._follower),
            (nn.Linear, self._linear),
            (_PASSING, lambda name, module, space: space),
        ]

    def _convolution(self, name: str, module: nn.Conv2d, space: ChannelSpace) -> ChannelSpace:
        if module.groups == module.in_channels == module.out_channels and module.groups > 1:
            return self._follower(name, module, space)
        if module.groups > 1:
            return _fixed([space])
        space.consumers.append(name)
        return ChannelSpace(producers=[name])

    def _follower(self, name: str, module: nn.Module, space: ChannelSpace) -> ChannelSpace:
        space.followers.append(name)
        return space

    def _linear(self, name: str, module: nn.Module, space: ChannelSpace) -> ChannelSpace:
        space.consumers.append(name)
        return ChannelSpace(fixed=True)

    def _merge(self, kept: ChannelSpace, gone: ChannelSpace) -> ChannelSpace:
        if kept is gone:
            return kept
        kept.producers += gone.producers
        kept.followers += gone.followers
        kept.consumers += gone.consumers
        kept.fixed |= gone.fixed
        self._space = {n: kept if space is gone else space for n, space in self._space.items()}
        return kept


def _fixed(spaces: list[ChannelSpace]) -> ChannelSpace:
    """Fixes what is read in an unknown way; what comes out is fixed too."""
    for space in spaces:
        space.fixed = True
    return ChannelSpace(fixed=True)
