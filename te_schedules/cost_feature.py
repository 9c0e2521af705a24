"""How a family of kernels tells the learned cost model what its own cost model expects.

What is learned is then how measurements differ from that, so that a layer unlike all that were
measured is ranked no worse than without learning.
"""

from __future__ import annotations

import math

__all__ = ["COST", "cost_feature"]

COST = "cost"


def cost_feature(cost: float) -> float:
    """Returns the value of the feature ``COST``.

    Args:
        cost: expected of the slowest thread, in any unit.
    """
    return round(math.log2(1 + cost), 4)
