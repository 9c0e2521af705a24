"""What to compile for, in every form a user may write it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import tvm_ffi
from tvm.target import Target

from tvm_patdnn.errors import TargetError
from tvm_patdnn.machine.cores import host_cores
from tvm_patdnn.machine.gpu_checks import check_gpu
from tvm_patdnn.machine.host_cpu import host_config, host_triple
from tvm_patdnn.machine.target_checks import check_architecture, check_cpu, close_names
from tvm_patdnn.machine.target_presets import PRESETS
from tvm_patdnn.machine.target_string import parse_options, target_kinds
from tvm_patdnn.machine.triples import is_host_platform

__all__ = ["TargetLike", "host_of", "is_gpu", "preset_names", "resolve_target"]

TargetLike: TypeAlias = str | Mapping[str, Any] | Target | None
Config = dict[str, Any]

_DEFAULT_CORES = 4  # small boards, and the fast cores of phones; -num-cores says otherwise


def resolve_target(target: TargetLike = None) -> Target:
    """Returns the TVM target that ``target`` stands for, with its number of cores.

    Args:
        target: None or "native" (this machine); a preset such as "raspberry-pi-4", also
            with options ("raspberry-pi-4 -num-cores=2"); the command-line form
            "llvm -mtriple=aarch64-linux-gnu -mcpu=cortex-a72"; a tag or dict of TVM's; or a
            Target. "llvm" without triple, CPU and features is this machine too, and it is
            the host of a GPU that is given without one.

    Raises:
        TargetError: the name, an option, the triple's architecture or its CPU is unknown; or a
            GPU is not described far enough.
    """
    config = _config(target)
    if config.get("kind") == "llvm":
        return _make(_checked_cpu(config))
    if "kind" not in config:
        return _make(config)
    check_gpu(config)
    return _make({**config, "host": _checked_cpu(_config(config.get("host")))})


def is_gpu(target: Target) -> bool:
    """Whether a target is a GPU, of whatever kind."""
    return "gpu" in [str(key) for key in target.keys]


def host_of(target: Target) -> Target:
    """Returns the CPU that a model's kernels are called from: a CPU target itself."""
    return target if target.host is None else target.host


def preset_names() -> list[str]:
    """Lists the names that stand for a machine."""
    return ["native", *PRESETS]


def _config(target: TargetLike) -> Config:
    if target is None:
        return dict(host_config())
    if isinstance(target, Target):
        return _chosen(target)
    if isinstance(target, Mapping):
        return dict(target)
    if isinstance(target, str) and target.strip():
        return _from_words(*target.strip().split(maxsplit=1))
    raise TargetError(
        f"target: got {target!r}, expected a string, a dict, a tvm.target.Target or None"
    )


def _from_words(name: str, options: str = "") -> Config:
    base = _named(name)
    return {**base, **parse_options(base["kind"], options)}


def _named(name: str) -> Config:
    if name == "native":
        return dict(host_config())
    if name in PRESETS:
        return dict(PRESETS[name])
    if name in target_kinds():
        return {"kind": name}
    if name in _tags():
        return _chosen(Target(name))
    raise TargetError(_unknown(name))


def _unknown(name: str) -> str:
    proposed = close_names(name, [*preset_names(), *target_kinds(), *_tags()])
    return (
        f"target '{name}': unknown; {proposed}presets are {', '.join(preset_names())}; others are "
        "written as 'llvm -mtriple=aarch64-linux-gnu -mcpu=cortex-a72'"
    )


def _tags() -> list[str]:
    return [str(tag) for tag in tvm_ffi.get_global_func("target.TargetTagListTags")()]


def _chosen(target: Target) -> Config:
    """The target's config without what TVM derived by itself, so that it can be changed."""
    return {
        str(name): value
        for name, value in target.export().items()
        if not name.startswith("feature.") and (name != "tag" or value)
    }


def _checked_cpu(config: Config) -> Config:
    if config.get("kind") != "llvm":
        return config
    config = _complete(config)
    check_architecture(config["mtriple"])
    check_cpu(config["mcpu"], config["mtriple"])
    return config


def _complete(config: Config) -> Config:
    if config.get("mcpu") == "native":
        config = {name: value for name, value in config.items() if name != "mcpu"}
        return {**host_config(), **config}
    if not {"mtriple", "mcpu", "mattr"} & config.keys():
        return {**host_config(), **config}
    triple = config.get("mtriple", host_triple())
    cores = host_cores() if is_host_platform(triple) else _DEFAULT_CORES
    return {"mcpu": "generic", "num-cores": cores, **config, "mtriple": triple}


def _make(config: Config) -> Target:
    try:
        return Target(config)
    except (ValueError, TypeError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise TargetError(f"target {config}: TVM refuses it: {reason}") from error
