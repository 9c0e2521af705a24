"""Reads what logs say of a convolution of bytes, whichever way it is computed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from te_schedules.cpu.int8.strip_configuration import StripConfiguration
from te_schedules.cpu.int8.winograd_schedule import TileSchedule

__all__ = ["Int8Configuration"]


class Int8Configuration:
    """The configurations of one family of kernels."""

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> StripConfiguration | TileSchedule:
        """Reads what ``to_json`` of either returned.

        Raises:
            ValueError, TypeError, KeyError: it is something else.
        """
        if "together" in values:
            return TileSchedule.from_json(values)
        return StripConfiguration.from_json(values)
