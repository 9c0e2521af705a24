"""The cubic schedule of gradual pruning."""

from __future__ import annotations

from tvm_patdnn.training.options import PrunerConfig

__all__ = ["cubic_share"]


def cubic_share(epoch: int, config: PrunerConfig) -> float:
    """Returns which share of what is to be removed is gone in ``epoch``: 0 to 1.

    It rises as 1 - (1 - t)^3 (Zhu and Gupta, 2017, arXiv 1710.01878) in steps of
    ``update_every`` epochs, and reaches 1 in the last of them.
    """
    steps = max(1, (config.epochs - 1) // config.update_every)
    step = min(epoch // config.update_every, steps) + (config.epochs <= config.update_every)
    return 1.0 - (1.0 - min(1.0, step / steps)) ** 3
