"""Predicts from machine code how much of a GPU's peak a layer's kernel can reach.

Counted are instructions, products and accesses to shared memory of the busiest multiprocessor:
the bound that is left when every latency is hidden and the caches deliver in time.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from tvm_patdnn.bench.gpu.machine_code import KernelCode
from tvm_patdnn.machine.gpu_model import GpuModel

__all__ = ["Prediction", "Work", "predict"]

ACCESSES = {"LDS.64": 2, "LDS.128": 1, "STS": 1, "LDG": 1, "LDG.64": 2, "LDG.128": 4}
# Of LDS.128, which load weights, all lanes want the same: one access. Of LDS they want values that
# lie as many columns apart as a lane has.


@dataclass(frozen=True, kw_only=True)
class Work:
    """What a kernel is launched for.

    Attributes:
        macs: kept multiply-adds of the layer.
        kernels: of weights that a warp multiplies.
        windows: of channels that it visits.
        warps: of a block.
        blocks: of the launch.
        columns: of a lane.
    """

    macs: float
    kernels: float
    windows: float
    warps: int
    blocks: int
    columns: int


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """Shares of the GPU's peak rate of float32 multiply-adds.

    Attributes:
        inner: in the innermost loops.
        whole: with the loads of windows, on a multiprocessor that has work.
        tail: how evenly whole blocks fill all multiprocessors: the share of them that works.
        micros: of the launch.
    """

    inner: float
    whole: float
    tail: float
    micros: float

    @property
    def share(self) -> float:
        """Of the peak, with the tail."""
        return self.whole * self.tail


def predict(code: KernelCode, work: Work, gpu: GpuModel) -> Prediction:
    """Returns what the instructions allow."""
    loop: Counter[str] = Counter()
    for each in code.inner:
        loop.update(each)
    of_kernel = {name: count / len(code.inner) for name, count in loop.items()}
    total = {
        name: work.kernels * of_kernel.get(name, 0) + work.windows * code.outer[name]
        for name in {*of_kernel, *code.outer}
    }
    cycles = work.warps * _cycles(total, work, gpu)
    turns = -(-work.blocks // gpu.multiprocessors)
    useful = work.macs / work.blocks / gpu.products
    return Prediction(
        inner=of_kernel["FFMA"] * gpu.lanes / gpu.products / _cycles(of_kernel, work, gpu),
        whole=useful / cycles,
        tail=work.blocks / (turns * gpu.multiprocessors),
        micros=turns * cycles / gpu.gigahertz / 1000,
    )


def _cycles(mix: dict[str, float], work: Work, gpu: GpuModel) -> float:
    """Returns the cycles that a warp's instructions take of a multiprocessor's busiest unit."""
    products = mix.get("FFMA", 0) * gpu.lanes / gpu.products
    issued = sum(mix.values()) / gpu.issues
    costs = ACCESSES | {"LDS": work.columns}
    accesses = sum(mix.get(name, 0) * cost for name, cost in costs.items())
    return max(products, issued, accesses)
