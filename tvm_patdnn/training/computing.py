"""Where a run computes, and with which precision."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from tvm_patdnn.errors import TrainingError
from tvm_patdnn.training.settings import Precision

__all__ = ["Computing", "choose_computing", "reproducible", "use_threads"]


@dataclass(frozen=True, kw_only=True)
class Computing:
    """The device, and whether products are computed in bfloat16."""

    device: torch.device
    bfloat16: bool

    @property
    def name(self) -> str:
        """For people: the device, and the precision of products."""
        device = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else "CPU"
        if self.bfloat16:
            return f"{device}, bfloat16"
        rounded = self.device.type == "cuda" and torch.backends.cudnn.allow_tf32
        return f"{device}, float32{' (convolutions in TF32)' if rounded else ''}"

    @contextmanager
    def mixed_precision(self) -> Iterator[None]:
        """Computes products in bfloat16, where that is chosen."""
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.bfloat16):
            yield


def choose_computing(device: str | None, precision: Precision) -> Computing:
    """Chooses a GPU where there is one.

    Args:
        device: as torch names it, such as "cpu" or "cuda:1"; None for the best there is.

    Raises:
        TrainingError: there is no such device.
    """
    wanted = device or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(wanted)
        torch.zeros(1, device=chosen)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        said = str(error).strip().splitlines()[0]
        raise TrainingError(f"torch device {wanted!r} cannot be used: {said}") from error
    bfloat16 = _computes_bfloat16(chosen) if precision == "auto" else precision == "bfloat16"
    return Computing(device=chosen, bfloat16=bfloat16)


def use_threads(count: int | None) -> None:
    """Lets torch use ``count`` threads of the CPU; None leaves it as it is."""
    if count is not None:
        torch.set_num_threads(count)


@contextmanager
def reproducible(device: torch.device) -> Iterator[None]:
    """Computes the same every time, and leaves the caller's random state as it was."""
    cudnn = torch.backends.cudnn
    before = cudnn.deterministic, cudnn.benchmark
    cudnn.deterministic, cudnn.benchmark = True, False
    devices = [device] if device.type == "cuda" else []
    try:
        with torch.random.fork_rng(devices=devices):
            yield
    finally:
        cudnn.deterministic, cudnn.benchmark = before


def _computes_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_tile"))
