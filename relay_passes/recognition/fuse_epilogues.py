"""Fuses element-wise operators into the kernel that computes their input.

Before:  conv2d -> add(bias) -> add(residual) -> relu, a kernel each
After:   conv2d with the steps add, add, relu
         x = conv2d; y = multiply(x, sigmoid(x)) -> conv2d with a gate
Requires: nodes in the order of computation.
Ensures: the same results; a value that is read more than once is still computed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

from tvm import relax

from relay_passes.recognition.graph import Convolution, Copy, GraphStep, LaneNode, TensorOperand
from relay_passes.recognition.recognize_steps import merge_clips
from te_schedules.epilogue import Step, operands_of

__all__ = ["fuse_epilogues"]

Item: TypeAlias = LaneNode | relax.Binding


def fuse_epilogues(items: Sequence[Item], uses: Counter) -> list[Item]:
    """Returns the items with every node fused that can be.

    Args:
        items: nodes, and the bindings that are not nodes.
        uses: how often each variable is read.
    """
    fused: dict[int, Item] = {}
    place: dict[relax.Var, int] = {}
    uses = uses.copy()
    for position, item in enumerate(items):
        if isinstance(item, LaneNode):
            item = _fused(item, fused, place, uses)
            place[item.result] = position
        fused[position] = item
    return list(fused.values())


def _fused(
    node: LaneNode, fused: dict[int, Item], place: dict[relax.Var, int], uses: Counter
) -> LaneNode:
    """Takes what ``node`` can be fused into out of ``fused``, and returns both as one."""
    if _is_self_product(node):
        uses[node.inputs[0]] -= 1
        node = _as_gate(node)
    for order in _orders(node):
        producer = _producer(order, fused, place, uses)
        if producer is not None:
            del fused[place[producer.result]]
            return _fused(_fuse(producer, order), fused, place, uses)
    return node


def _orders(node: LaneNode) -> list[LaneNode]:
    """Returns the node, and the same with the arguments of a commutative step exchanged."""
    step = node.steps[0] if len(node.steps) == 1 else None
    if step is None or step.name not in ("add", "multiply"):
        return [node]
    if not isinstance(step.operand, TensorOperand):
        return [node]
    exchanged: GraphStep = Step(step.name, TensorOperand(node.inputs[0]))
    return [node, replace(node, inputs=(step.operand.var,), steps=(exchanged,))]


def _producer(
    node: LaneNode, fused: dict[int, Item], place: dict[relax.Var, int], uses: Counter
) -> LaneNode | None:
    """Returns the node into which ``node`` can be fused, if there is one."""
    if node.operator != Copy() or len(node.inputs) != 1 or node.inputs[0] not in place:
        return None
    producer = fused[place[node.inputs[0]]]
    assert isinstance(producer, LaneNode), "only nodes have a place"
    keeps_steps = isinstance(producer.operator, Convolution | Copy)
    return producer if keeps_steps and uses[producer.result] == 1 else None


def _fuse(producer: LaneNode, node: LaneNode) -> LaneNode:
    return replace(
        producer,
        result=node.result,
        steps=merge_clips(producer.steps + node.steps),
    )


def _is_self_product(node: LaneNode) -> bool:
    """Whether ``node`` multiplies its input by a function of nothing but the input."""
    if node.operator != Copy() or len(node.inputs) != 1 or len(operands_of(node.steps)) != 1:
        return False
    step = node.steps[-1]
    if step.name != "multiply" or not isinstance(step.operand, TensorOperand):
        return False
    return bool(step.operand.var.same_as(node.inputs[0]))


def _as_gate(node: LaneNode) -> LaneNode:
    inner = node.steps[:-1]
    step: GraphStep = Step("gate", gate=inner) if inner else Step("square")
    return replace(node, steps=(step,))
