"""The lists in which FKW stores a group's kernels, as a kernel's code walks them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tvm import tirx
from tvm.tirx.script import builder as T

from te_schedules.cpu.conv2d_binding import Conv2dBinding
from te_schedules.cpu.vector_code import Expr

__all__ = ["ListedKernel", "has_uniform_kernels", "kernels_of_run"]


@dataclass(frozen=True, kw_only=True)
class ListedKernel:
    """One kernel of a list.

    Attributes:
        inputs: where the channel that it reads begins, in values, among those of its image, or
            of what is copied for a tile.
        weight: where its first weight is stored.
        number: its position in the arrays of kernels.
    """

    inputs: Expr
    weight: Expr
    number: Expr


@contextmanager
def kernels_of_run(conv: Conv2dBinding, slot: Expr, p: Expr) -> Iterator[ListedKernel]:
    """Emits the loop over the kernels of the p-th run of a slot; yields one of them.

    Indices are of 64 bits, as addresses are, which saves extending each.

    Args:
        p: a number, or a variable where all kernels have as many weights.
    """
    stored, entries = conv.stored, conv.fkw.entries[0 if has_uniform_kernels(conv) else p]
    begin = tirx.Cast("int32", stored["stride"][slot, p])
    count = tirx.Cast("int32", stored["stride"][slot, p + 1]) - begin
    first = tirx.Cast("int64", stored["offset"][slot] + begin)
    first_weight = stored["weight_offset"][slot] + _weights_before(conv, slot, p)
    with T.serial(count) as k:
        done = tirx.Cast("int64", k)
        yield ListedKernel(
            inputs=conv.inputs.first_value(stored["input"][first + done]),
            weight=tirx.Cast("int64", first_weight) + done * (entries * conv.fkw.group),
            number=first + done,
        )


def has_uniform_kernels(conv: Conv2dBinding) -> bool:
    """Whether all kernels have as many weights."""
    return len(set(conv.fkw.entries)) == 1


def _weights_before(conv: Conv2dBinding, slot: Expr, p: Expr) -> Expr:
    """Returns how many weights the slot's kernels of earlier runs have."""
    stride = conv.stored["stride"]
    sizes = [entries * conv.fkw.group for entries in conv.fkw.entries]
    if has_uniform_kernels(conv):
        return tirx.Cast("int32", stride[slot, p]) * sizes[0]
    starts = [tirx.Cast("int32", stride[slot, q]) for q in range(p + 1)]
    before = starts[p] * sizes[p]
    for q in range(p):
        if sizes[q] != sizes[p]:
            before = before + (starts[q + 1] - starts[q]) * (sizes[q] - sizes[p])
    return before
