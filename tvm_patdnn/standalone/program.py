"""A model as a program: which functions to call with what, and where each tensor lies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tvm_patdnn.standalone.memory_plan import Life, MemoryPlan, plan_memory
from tvm_patdnn.standalone.sequence import Call, Ref
from tvm_patdnn.standalone.sequence import Sequence as Calls
from tvm_patdnn.standalone.stages import Argument, Kernel, Stage

__all__ = ["Program", "Step", "bind_arguments", "link_program", "lives", "tensor_sizes"]


class Step(NamedTuple):
    """A call of a stage.

    Attributes:
        args: tensors; a number is an offset in the thread's scratch memory.
    """

    stage: Stage
    args: tuple[Ref | int, ...]


@dataclass(frozen=True, kw_only=True)
class Program:
    """What a standalone model does.

    Attributes:
        calls: the model's interface and constants.
        memory: of temporaries, and of inputs and outputs that are not aligned in the caller's.
        scratch: bytes that each thread needs besides.
    """

    calls: Calls
    steps: tuple[Step, ...]
    memory: MemoryPlan
    scratch: int

    @property
    def most_threads(self) -> int:
        """How many threads have work at any one time."""
        return max((step.stage.iterations for step in self.steps), default=1)


def link_program(calls: Calls, kernels: Mapping[str, Kernel]) -> Program:
    """Puts the stages of kernels in the place of the kernels' calls, and plans the memory."""
    sizes = tensor_sizes(calls)
    steps: list[Step] = []
    for call in calls.calls:
        shared = [Ref("temporary", len(sizes) + i) for i in range(len(kernels[call.kernel].shared))]
        sizes |= dict(zip(shared, kernels[call.kernel].shared, strict=True))
        for stage in kernels[call.kernel].stages:
            steps.append(Step(stage, bind_arguments(stage.arguments, call, shared)))
    return Program(
        calls=calls,
        steps=tuple(steps),
        memory=plan_memory(lives([step.args for step in steps], calls, sizes)),
        scratch=max((step.stage.scratch for step in steps), default=0),
    )


def tensor_sizes(calls: Calls) -> dict[Ref, int]:
    """Returns the bytes of all tensors that are no constants."""
    sizes = {Ref("temporary", i): size for i, size in enumerate(calls.temporaries)}
    sizes |= {Ref("input", i): tensor.bytes for i, tensor in enumerate(calls.inputs)}
    return sizes | {Ref("output", i): tensor.bytes for i, tensor in enumerate(calls.outputs)}


def bind_arguments(
    arguments: Iterable[Argument], call: Call, shared: Sequence[Ref]
) -> tuple[Ref | int, ...]:
    """Returns what a call gives for what a stage wants; a number is a place in the scratch."""

    def given(argument: Argument) -> Ref | int:
        if argument.kind == "scratch":
            return argument.number
        return (shared if argument.kind == "shared" else call.args)[argument.number]

    return tuple(given(argument) for argument in arguments)


def lives(
    steps: Sequence[Iterable[Ref | int]], calls: Calls, sizes: Mapping[Ref, int]
) -> dict[Ref, Life]:
    """When each tensor is needed; inputs from before the first step, outputs to after the last.

    Args:
        steps: the arguments of each.
        sizes: bytes of the tensors.
    """
    used: dict[Ref, list[int]] = {}
    for index, args in enumerate(steps):
        for ref in args:
            if isinstance(ref, Ref) and ref.space != "constant":
                used.setdefault(ref, []).append(index)
    end = len(steps)
    for output, source in calls.copies:
        for ref in (output, source):
            if ref in used:
                used[ref].append(end)
    for ref, indices in used.items():
        indices += {"input": [-1], "output": [end]}.get(ref.space, [])
    return {
        ref: Life(bytes=sizes[ref], first=min(indices), last=max(indices))
        for ref, indices in used.items()
    }
