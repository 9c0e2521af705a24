"""Chooses the layout of every tensor that is in lanes.

A convolution or pooling keeps the lanes of its input where that wastes little; elsewhere
it takes the best split of its own plane, and its input is laid out anew. Everything else
keeps its input's layout. A pointwise convolution that widens a tensor computes it in the
split of its reader, so that the narrow tensor is laid out anew and not the wide one. A
tensor gets the halo that all its readers together need, so its producer can write it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tvm import relax

from relay_passes.lanes.graph import Convolution, Copy, GlobalPool, LaneNode, Pooling
from relay_passes.relax_ir.values import shape_of
from te_schedules.cpu.lane_layout import Halo, LaneLayout, best_layout

__all__ = ["LayoutPlan", "Window", "assign_layouts", "window_of"]

WASTE = 1.1  # vectors of a kept split over those of the best one: a relayout costs about this


@dataclass(frozen=True)
class Window:
    """Where a kernel's taps lie; pairs are (y, x)."""

    taps: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    padding: tuple[int, int]


class LayoutPlan:
    """Which layouts each tensor is stored in, by its variable and the split of its plane."""

    def __init__(self) -> None:
        self._produced: dict[relax.Var, LaneLayout] = {}
        self._stored: dict[tuple[relax.Var, LaneLayout], LaneLayout] = {}
        self._reads: dict[relax.Var, tuple[LaneLayout, ...]] = {}

    def produced(self, var: relax.Var) -> LaneLayout:
        """Returns the layout in which a node writes its result."""
        return self._stored[var, self._produced[var]]

    def stored(self, var: relax.Var, split: LaneLayout) -> LaneLayout:
        """Returns the layout with ``split`` in which ``var`` is stored for its readers."""
        return self._stored[var, split.with_halo(Halo())]

    def reads(self, node: LaneNode) -> tuple[LaneLayout, ...]:
        """Returns the split that the node reads each of its inputs in."""
        return self._reads[node.result]

    def is_produced(self, var: relax.Var, split: LaneLayout) -> bool:
        """Whether a node writes ``var`` in this split, so that no relayout is needed."""
        return self._produced.get(var) == split.with_halo(Halo())

    def split(self, var: relax.Var) -> LaneLayout | None:
        """Returns the split in which a node writes ``var``; None if none does."""
        return self._produced.get(var)

    def add(self, node: LaneNode, output: LaneLayout | None, reads: Sequence[LaneLayout]) -> None:
        """Records what a node writes, and what it reads of inputs and of tensor operands."""
        self._reads[node.result] = tuple(reads)
        for var, layout in zip(tensors_of(node), reads, strict=True):
            self._need(var, layout)
        if output is not None:
            self._produced[node.result] = output.with_halo(Halo())
            self._need(node.result, output.with_halo(Halo()))

    def _need(self, var: relax.Var, layout: LaneLayout) -> None:
        key = (var, layout.with_halo(Halo()))
        known = self._stored.get(key, layout)
        self._stored[key] = layout.with_halo(layout.halo.union(known.halo))


def assign_layouts(nodes: Sequence[LaneNode], lanes: int) -> LayoutPlan:
    """Plans the layouts of the nodes, given in the order of computation."""
    plan = LayoutPlan()
    readers = _readers(nodes)
    for node in nodes:
        output, reads = _layouts(node, plan, lanes)
        if output and _widens(node) and len(readers[node.result]) == 1:
            output = reads[0] = _read_by(readers[node.result][0], node.result, output)
        same = output.with_halo(Halo()) if output else None
        operands = [same] * (len(tensors_of(node)) - len(node.inputs))
        plan.add(node, output, [*reads, *operands])  # type: ignore[list-item]
    return plan


def _widens(node: LaneNode) -> bool:
    """Whether a node maps every pixel to more channels, so that any split will do."""
    if not isinstance(node.operator, Convolution) or len(tensors_of(node)) > 1:
        return False
    layer = node.operator.layer
    filters, channels = layer.weight.shape[:2]
    moves = (layer.kernel_shape, layer.stride, tuple(layer.padding), layer.groups)
    return moves == ((1, 1), (1, 1), (0, 0, 0, 0), 1) and channels < filters


def _read_by(reader: LaneNode, var: relax.Var, source: LaneLayout) -> LaneLayout:
    """Returns the split in which ``reader`` would read ``var`` if it were stored in ``source``."""
    window = window_of(reader)
    if window is None or reader.inputs != (var,):
        return source
    output = _window_output(reader, window, source, is_produced=True)
    return _window_input(reader, window, output).with_halo(Halo())


def _readers(nodes: Sequence[LaneNode]) -> Mapping[relax.Var, list[LaneNode]]:
    readers: dict[relax.Var, list[LaneNode]] = defaultdict(list)
    for node in nodes:
        for var in node.reads:
            readers[var].append(node)
    return readers


def tensors_of(node: LaneNode) -> list[relax.Var]:
    """Returns the inputs, and those operands that are of the result's shape."""
    operands = iter(node.operands)
    kinds = [(step.operand, next(operands)) for step in node.steps if step.operand != "none"]
    return [*node.inputs, *(value for kind, value in kinds if kind == "tensor")]


def window_of(node: LaneNode) -> Window | None:
    """Returns the window of a convolution or pooling; None for other operators."""
    operator = node.operator
    if isinstance(operator, Convolution):
        layer = operator.layer
        return Window(layer.kernel_shape, layer.stride, layer.dilation, layer.padding[:2])
    if isinstance(operator, Pooling):
        size = operator.window.size
        return Window(size, operator.stride, operator.dilation, operator.padding)
    return None


def _layouts(
    node: LaneNode, plan: LayoutPlan, lanes: int
) -> tuple[LaneLayout | None, list[LaneLayout]]:
    """Returns the layout of the output (None if it is not in lanes) and of each input."""
    splits = [plan.split(var) for var in node.inputs]
    source = next((split for split in splits if split), None) or _best(node.inputs[0], lanes)
    window = window_of(node)
    if window is not None:
        output = _window_output(node, window, source, splits[0] is not None)
        return output, [_window_input(node, window, output)]
    if isinstance(node.operator, GlobalPool):
        return None, [source]
    assert isinstance(node.operator, Copy)
    repeat, shape = node.operator.repeat, shape_of(node.result)
    assert shape is not None
    output = replace(
        source,
        height=shape[2],
        width=shape[3],
        steps_y=source.steps_y * repeat,
        steps_x=source.steps_x * repeat,
    )
    return output, [source] * len(node.inputs)


def _best(var: relax.Var, lanes: int) -> LaneLayout:
    shape = shape_of(var)
    assert shape is not None, "nodes read tensors of fixed shape"
    return best_layout(shape[2], shape[3], lanes)


def _window_output(
    node: LaneNode, window: Window, source: LaneLayout, is_produced: bool
) -> LaneLayout:
    shape = shape_of(node.result)
    assert shape is not None
    best = _holding(best_layout(shape[2], shape[3], source.lanes), window, source)
    if not is_produced or source.steps_y % window.stride[0] or source.steps_x % window.stride[1]:
        return best
    steps_y, steps_x = source.steps_y // window.stride[0], source.steps_x // window.stride[1]
    fits = source.lanes_y * steps_y >= shape[2] and source.lanes_x * steps_x >= shape[3]
    if not fits or steps_y * steps_x > WASTE * best.steps_y * best.steps_x:
        return best
    return replace(source, height=shape[2], width=shape[3], steps_y=steps_y, steps_x=steps_x)


def _holding(layout: LaneLayout, window: Window, source: LaneLayout) -> LaneLayout:
    """Returns ``layout`` with steps enough that ``stride`` times as many hold the input."""
    need_y = -(-source.height // (layout.lanes_y * window.stride[0]))
    need_x = -(-source.width // (layout.lanes_x * window.stride[1]))
    return replace(layout, steps_y=max(layout.steps_y, need_y), steps_x=max(layout.steps_x, need_x))


def _window_input(node: LaneNode, window: Window, output: LaneLayout) -> LaneLayout:
    """Returns the layout, with its halo, in which the window's taps are whole vectors."""
    shape = shape_of(node.inputs[0])
    assert shape is not None
    after = [
        max(0, (taps - 1) * gap - before - (step - 1))
        for taps, gap, before, step in zip(
            window.taps, window.dilation, window.padding, window.stride, strict=True
        )
    ]
    top, left = window.padding
    return replace(
        output,
        height=shape[2],
        width=shape[3],
        steps_y=output.steps_y * window.stride[0],
        steps_x=output.steps_x * window.stride[1],
        halo=Halo(top=top, left=left, bottom=after[0], right=after[1]),
    )
