"""The nodes of a small network, as the pass to lanes recognises them."""

from __future__ import annotations

from collections.abc import Callable

from tvm import relax

from relay_passes.recognition.graph import LaneNode
from relay_passes.recognition.recognize_operators import recognize
from tests.relay_passes.relax_modules import Net, bindings_of

__all__ = ["nodes_of"]


def nodes_of(
    body: Callable[[Net, relax.Expr], relax.Expr], size: tuple[int, int]
) -> list[LaneNode]:
    """Returns the nodes of ``body(net, x)``, x of 4 channels of this size."""
    net = Net((1, 4, *size))
    nodes, in_lanes = [], set()
    for binding in bindings_of(net.module(lambda x: body(net, x))):
        node = recognize(binding.var, binding.value, in_lanes, {})
        if node is not None:
            in_lanes.add(node.result)
            nodes.append(node)
    return nodes
