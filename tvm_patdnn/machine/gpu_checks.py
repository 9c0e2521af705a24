"""Finds what is missing in a GPU target, which TVM would guess."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tvm_patdnn.errors import TargetError

__all__ = ["GPU_KINDS", "check_gpu"]

_ARCH = re.compile(r"sm_\d{2,3}[af]?")  # as nvcc names them

GPU_KINDS = ("opencl", "cuda", "metal")


def check_gpu(config: Mapping[str, Any]) -> None:
    """Checks that a target that is no CPU is a GPU that we compile for.

    Raises:
        TargetError: it is of another kind, or its architecture is missing or no name of one.
    """
    kind = config.get("kind")
    if kind == "webgpu":
        raise TargetError(
            "target 'webgpu': not supported: TVM's code for it has array types that WebGPU lacks; "
            f"expected a CPU, or a GPU by {', '.join(GPU_KINDS)}"
        )
    if kind not in GPU_KINDS:
        raise TargetError(
            f"target kind '{kind}': expected 'llvm' for CPUs, or one of {', '.join(GPU_KINDS)} for "
            "GPUs; or a preset such as 'raspberry-pi-4'"
        )
    if kind == "cuda":
        _check_arch(config.get("arch"))


def _check_arch(arch: object) -> None:
    advice = "write 'cuda -arch=sm_80', or a tag such as 'nvidia/nvidia-a100'"
    if arch is None:
        raise TargetError(f"target 'cuda': lacks the GPU's architecture; {advice}")
    if not _ARCH.fullmatch(str(arch)):
        raise TargetError(f"target 'cuda': arch '{arch}': expected sm_ and a number; {advice}")
