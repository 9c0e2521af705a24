"""Markdown of measured tables."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["file_name", "link", "table_lines"]


def table_lines(table: Sequence[Sequence[str]]) -> list[str]:
    """Returns the lines of a table; its first row is the header."""
    head, *body = [[cell.replace("|", "\\|") for cell in row] for row in table]
    rule = ["---", *["---:"] * (len(head) - 2), "---"]
    return [f"| {' | '.join(row)} |" for row in (head, rule, *body)]


def link(text: str, target: str) -> str:
    """Returns ``text`` as a link."""
    return f"[{text}]({target})"


def file_name(title: str, ending: str) -> str:
    """Returns a name for the file of what has that title: small letters, digits and dashes."""
    return f"{re.sub(r'[^a-z0-9]+', '-', title.lower())}{ending}"
