"""A model as a program for a GPU: which kernels to launch with what, and where each tensor lies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from tvm_patdnn.standalone.device_code import DeviceCode, Launch
from tvm_patdnn.standalone.memory_plan import MemoryPlan, plan_memory
from tvm_patdnn.standalone.program import bind_arguments, lives, tensor_sizes
from tvm_patdnn.standalone.sequence import Ref, Sequence

__all__ = ["BUFFER_ALIGNMENT", "DeviceProgram", "DeviceStep", "link_device_program"]

BUFFER_ALIGNMENT = 512  # bytes: what any known OpenCL device wants of a buffer within another


class DeviceStep(NamedTuple):
    """A launch, and the tensors that the kernel is given."""

    launch: Launch
    args: tuple[Ref, ...]


@dataclass(frozen=True, kw_only=True)
class DeviceProgram:
    """What a standalone model on a GPU does.

    Attributes:
        calls: the model's interface and constants.
        source: of all kernels.
        memory: of everything but constants, in one block of the device's memory.
        sizes: bytes of each tensor in it.
    """

    calls: Sequence
    source: str
    steps: tuple[DeviceStep, ...]
    memory: MemoryPlan
    sizes: dict[Ref, int]


def link_device_program(calls: Sequence, code: DeviceCode) -> DeviceProgram:
    """Puts the launches of functions in the place of their calls, and plans the memory."""
    sizes = tensor_sizes(calls)
    steps: list[DeviceStep] = []
    for call in calls.calls:
        function = code.functions[call.kernel]
        shared = [Ref("temporary", len(sizes) + i) for i in range(len(function.shared))]
        sizes |= dict(zip(shared, function.shared, strict=True))
        for launch in function.launches:
            args = bind_arguments(launch.arguments, call, shared)
            steps.append(DeviceStep(launch, tuple(ref for ref in args if isinstance(ref, Ref))))
    times = lives([step.args for step in steps], calls, sizes)
    memory = plan_memory(
        {ref: replace(life, bytes=_aligned(life.bytes)) for ref, life in times.items()}
    )
    return DeviceProgram(
        calls=calls,
        source=code.source,
        steps=tuple(steps),
        memory=memory,
        sizes={ref: sizes[ref] for ref in times},
    )


def _aligned(size: int) -> int:
    return max(1, -(-size // BUFFER_ALIGNMENT)) * BUFFER_ALIGNMENT
