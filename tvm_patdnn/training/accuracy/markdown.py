"""Parts of the pages."""

from __future__ import annotations

from collections.abc import Sequence

from tvm_patdnn.training.rows import TrainRow

__all__ = ["network_name", "table"]


def network_name(row: TrainRow) -> str:
    """Returns the network's factory without its module."""
    return row.network.partition(":")[2] or row.network


def table(cells: Sequence[Sequence[str]]) -> list[str]:
    """Returns the lines of a table; its first row is the header, and two columns are text."""
    header, *rows = (f"| {' | '.join(line)} |" for line in cells)
    rule = "|" + "|".join(["---"] * 2 + ["--:"] * (len(cells[0]) - 2)) + "|"
    return [header, rule, *rows]
