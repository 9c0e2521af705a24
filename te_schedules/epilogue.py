"""What is applied to the result of an operator before it is stored.

An epilogue is a list of steps, each a function of the value and at most one operand: a
number for each channel (bias, PReLU's slope) or a tensor of the output's shape (the
residual). A step carries its operand: in a graph the value itself, in the description of a
kernel the operand's type, in a kernel's code the buffer that holds it. What each step
computes is said, for each kind of processor, by the kernels that apply it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

__all__ = ["Step", "operands_of"]

OperandT = TypeVar("OperandT")


@dataclass(frozen=True)
class Step(Generic[OperandT]):
    """One function of an epilogue.

    Attributes:
        name: what it computes, such as "add" or "relu".
        operand: its second argument, if it takes one.
        numbers: its constants, such as the slope of a LeakyReLU.
        gate: of the step "gate", which multiplies a value by what these steps, none of
            which has an operand, make of it: SiLU, HardSwish and their like.
    """

    name: str
    operand: OperandT | None = None
    numbers: tuple[float, ...] = ()
    gate: tuple[Step[Any], ...] = ()

    def bind(self, bound: Callable[[OperandT], Any]) -> Step[Any]:
        """Returns the step with ``bound(operand)`` as its operand, if it has one."""
        return self if self.operand is None else replace(self, operand=bound(self.operand))


def operands_of(steps: Iterable[Step[OperandT]]) -> list[OperandT]:
    """Returns the operands of the steps that have one, in order."""
    return [step.operand for step in steps if step.operand is not None]
