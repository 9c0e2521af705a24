"""Targets: the presets, and what ``build`` makes of a target's string, dict or Target."""

from __future__ import annotations

from tvm_patdnn.machine.targets import TargetLike, preset_names, resolve_target

__all__ = ["TargetLike", "preset_names", "resolve_target"]
