"""The families of kernels that are tuned, each with the kind of its configurations.

A new family is a line of ``FAMILIES``: its version and its class of configurations, a frozen
dataclass with ``to_json``, ``from_json`` and a text for people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from te_schedules.cpu import conv2d_configuration, pair_configuration
from te_schedules.cpu.conv2d_configuration import Conv2dConfiguration
from te_schedules.cpu.int8 import strip_configuration
from te_schedules.cpu.int8.conv2d_configuration import Int8Configuration
from te_schedules.cpu.pair_configuration import PairConfiguration
from te_schedules.gpu import conv2d_configuration as gpu_conv2d

__all__ = ["FAMILIES", "Configuration", "Family"]


class Configuration(Protocol):
    """A point of a family's space; hashable."""

    @property
    def sparse(self) -> bool:
        """Whether pruned work is skipped."""

    def to_json(self) -> dict[str, Any]:
        """Returns its fields as JSON has them."""


class _Readable(Protocol):
    def from_json(self, values: Mapping[str, Any]) -> Configuration: ...


@dataclass(frozen=True, kw_only=True)
class Family:
    """A family of kernels.

    Attributes:
        version: raised when the same configuration becomes other code.
        configuration: reads a configuration of it.
    """

    version: int
    configuration: _Readable


FAMILIES: dict[str, Family] = {
    conv2d_configuration.FAMILY: Family(
        version=conv2d_configuration.VERSION, configuration=Conv2dConfiguration
    ),
    gpu_conv2d.FAMILY: Family(
        version=gpu_conv2d.VERSION, configuration=gpu_conv2d.GpuConv2dConfiguration
    ),
    pair_configuration.FAMILY: Family(
        version=pair_configuration.VERSION, configuration=PairConfiguration
    ),
    strip_configuration.FAMILY: Family(
        version=strip_configuration.VERSION, configuration=Int8Configuration
    ),
}
