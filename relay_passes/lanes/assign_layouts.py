"""Gives every tensor that is in lanes a layout, by rules or by splits that were chosen elsewhere.

The rules, from which ``relay_passes/lanes/cheapest_layouts.py`` begins:

A convolution or pooling keeps the lanes of its input where that wastes little; elsewhere
it takes the best split of its own plane, and its input is laid out anew. Everything else
keeps its input's split. A pointwise convolution that widens a tensor computes it in the
split of its reader, so that the narrow tensor is laid out anew and not the wide one. A
tensor gets the halo that all its readers together need, so its producer can write it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tvm import relax

from relay_passes.recognition.graph import Convolution, Copy, GlobalPool, LaneNode
from relay_passes.relax_ir.values import fixed_shape
from te_schedules.cpu.conv2d_geometry import holding, input_layout
from te_schedules.cpu.lane_layout import LaneLayout
from te_schedules.cpu.lane_split import Split, best_split
from te_schedules.window import Window

__all__ = ["LayoutPlan", "assign_layouts", "enlarged", "input_layouts"]

WASTE = 1.1  # vectors of a kept split over those of the best one: a relayout costs about this


class LayoutPlan:
    """Which layouts each tensor is stored in, by its variable and the split of its plane."""

    def __init__(self) -> None:
        self._produced: dict[relax.Var, Split] = {}
        self._stored: dict[tuple[relax.Var, Split], LaneLayout] = {}
        self._reads: dict[relax.Var, tuple[LaneLayout, ...]] = {}

    def produced(self, var: relax.Var) -> LaneLayout:
        """Returns the layout in which a node writes its result."""
        return self._stored[var, self._produced[var]]

    def stored(self, var: relax.Var, split: Split) -> LaneLayout:
        """Returns the layout with ``split`` in which ``var`` is stored for its readers."""
        return self._stored[var, split]

    def reads(self, node: LaneNode) -> tuple[LaneLayout, ...]:
        """Returns what the node needs of each of its tensors: a split, and at least a halo."""
        return self._reads[node.result]

    def sources(self, node: LaneNode) -> tuple[LaneLayout, ...]:
        """Returns the layout in which each of the node's tensors is stored for it."""
        return tuple(
            self._stored[var, needed.split]
            for var, needed in zip(node.tensors, self.reads(node), strict=True)
        )

    def is_produced(self, var: relax.Var, split: Split) -> bool:
        """Whether a node writes ``var`` in this split, so that no relayout is needed."""
        return self._produced.get(var) == split

    def split(self, var: relax.Var) -> Split | None:
        """Returns the split in which a node writes ``var``; None if none does."""
        return self._produced.get(var)

    def add(self, node: LaneNode, output: Split | None, reads: Sequence[LaneLayout]) -> None:
        """Records what a node writes, and what it needs of each of its tensors."""
        self._reads[node.result] = tuple(reads)
        for var, layout in zip(node.tensors, reads, strict=True):
            self._need(var, layout)
        if output is not None:
            self._produced[node.result] = output
            self._need(node.result, LaneLayout(output))

    def _need(self, var: relax.Var, layout: LaneLayout) -> None:
        known = self._stored.get((var, layout.split), layout)
        halo = layout.halo.union(known.halo)
        self._stored[var, layout.split] = LaneLayout(layout.split, halo)


def assign_layouts(
    nodes: Sequence[LaneNode], lanes: int, chosen: Mapping[relax.Var, Split] | None = None
) -> LayoutPlan:
    """Plans the layouts of the nodes, given in the order of computation.

    Args:
        chosen: splits of results that are not left to the rules.
    """
    plan = LayoutPlan()
    readers = _readers(nodes)
    for node in nodes:
        output, reads = _layouts(node, plan, lanes)
        if chosen and node.result in chosen:
            output = chosen[node.result]
            reads = input_layouts(node, output)
        elif output and _widens(node) and len(readers[node.result]) == 1:
            output = _read_by(readers[node.result][0], node.result, output)
            reads = [LaneLayout(output)]
        if output is not None:  # operands of the result's shape are read as it is written
            reads += [LaneLayout(output)] * (len(node.tensors) - len(reads))
        plan.add(node, output, reads)
    return plan


def _widens(node: LaneNode) -> bool:
    """Whether a node maps every pixel to more channels, so that any split will do."""
    if not isinstance(node.operator, Convolution) or len(node.tensors) > 1:
        return False
    layer = node.operator.layer
    filters, channels = layer.weight.shape[:2]
    moves = (layer.kernel_shape, layer.stride, tuple(layer.padding), layer.groups)
    return moves == ((1, 1), (1, 1), (0, 0, 0, 0), 1) and channels < filters


def _read_by(reader: LaneNode, var: relax.Var, source: Split) -> Split:
    """Returns the split in which ``reader`` would read ``var`` if it were stored in ``source``."""
    if reader.window is None or reader.inputs != (var,):
        return source
    output = _window_output(reader, reader.window, source, is_produced=True)
    return _window_input(reader, reader.window, output).split


def _readers(nodes: Sequence[LaneNode]) -> Mapping[relax.Var, list[LaneNode]]:
    readers: dict[relax.Var, list[LaneNode]] = defaultdict(list)
    for node in nodes:
        for var in node.reads:
            readers[var].append(node)
    return readers


def input_layouts(node: LaneNode, output: Split) -> list[LaneLayout]:
    """Returns in which layout a node that writes its result in a split needs each input."""
    if node.window is not None:
        return [_window_input(node, node.window, output)]
    assert isinstance(node.operator, Copy)
    repeat = node.operator.repeat
    source = replace(
        output,
        height=output.height // repeat,
        width=output.width // repeat,
        vectors_y=output.vectors_y // repeat,
        vectors_x=output.vectors_x // repeat,
    )
    return [LaneLayout(source)] * len(node.inputs)


def _layouts(node: LaneNode, plan: LayoutPlan, lanes: int) -> tuple[Split | None, list[LaneLayout]]:
    """Returns the split of the output (None if it is not in lanes) and each input's layout."""
    splits = [plan.split(var) for var in node.inputs]
    source = next((split for split in splits if split), None) or _best(node.inputs[0], lanes)
    if node.window is not None:
        output = _window_output(node, node.window, source, splits[0] is not None)
        return output, [_window_input(node, node.window, output)]
    if isinstance(node.operator, GlobalPool):
        return None, [LaneLayout(source)]
    return enlarged(node, source), [LaneLayout(source)] * len(node.inputs)


def enlarged(node: LaneNode, source: Split) -> Split:
    """Returns the split in which a copy of planes in ``source`` is written."""
    assert isinstance(node.operator, Copy)
    repeat, shape = node.operator.repeat, fixed_shape(node.result)
    return replace(
        source,
        height=shape[2],
        width=shape[3],
        vectors_y=source.vectors_y * repeat,
        vectors_x=source.vectors_x * repeat,
    )


def _best(var: relax.Var, lanes: int) -> Split:
    _, _, height, width = fixed_shape(var)
    return best_split(height, width, lanes)


def _window_output(node: LaneNode, window: Window, source: Split, is_produced: bool) -> Split:
    height, width = fixed_shape(node.result)[2:]
    best = holding(best_split(height, width, source.lanes), window, source.height, source.width)
    if (
        not is_produced
        or source.vectors_y % window.stride[0]
        or source.vectors_x % window.stride[1]
    ):
        return best
    vectors_y, vectors_x = (
        source.vectors_y // window.stride[0],
        source.vectors_x // window.stride[1],
    )
    fits = source.lanes_y * vectors_y >= height and source.lanes_x * vectors_x >= width
    if not fits or vectors_y * vectors_x > WASTE * best.vectors:
        return best
    return replace(source, height=height, width=width, vectors_y=vectors_y, vectors_x=vectors_x)


def _window_input(node: LaneNode, window: Window, output: Split) -> LaneLayout:
    return input_layout(output, window, *fixed_shape(node.inputs[0])[2:])
