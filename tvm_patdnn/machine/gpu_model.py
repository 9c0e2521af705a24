"""The few numbers about a GPU that schedules depend on."""

from __future__ import annotations

from dataclasses import dataclass

from tvm.target import Target

from tvm_patdnn.errors import TargetError

__all__ = ["GPU_KINDS", "GpuModel"]

GPU_KINDS = ("opencl", "cuda", "metal")


@dataclass(frozen=True, kw_only=True)
class GpuModel:
    """A GPU as a schedule sees it.

    Attributes:
        kind: TVM's name of how it is programmed.
        warp: threads that run in step.
        max_threads: of a block.
        shared_bytes: of a block.
    """

    kind: str
    warp: int
    max_threads: int
    shared_bytes: int

    @classmethod
    def from_target(cls, target: Target) -> GpuModel:
        """Describes the GPU of a target.

        Raises:
            TargetError: the target is not a GPU that we compile for.
        """
        kind = target.kind.name
        if kind not in GPU_KINDS:
            raise TargetError(
                f"target kind '{kind}': expected a GPU's, one of {', '.join(GPU_KINDS)}"
            )
        return cls(
            kind=kind,
            warp=int(target.attrs.get("thread_warp_size", 32)),
            max_threads=int(target.attrs.get("max_num_threads", 256)),
            shared_bytes=int(target.attrs.get("max_shared_memory_per_block", 16384)),
        )
