"""Lines of what an error says, for messages that cite it."""

from __future__ import annotations

__all__ = ["first_line", "last_line"]


def first_line(error: BaseException) -> str:
    """Returns the first line of what an error says; its class where it says nothing."""
    return _lines(error)[0]


def last_line(error: BaseException) -> str:
    """Returns the last line, where TVM and compilers say what is wrong."""
    return _lines(error)[-1]


def _lines(error: BaseException) -> list[str]:
    return str(error).strip().splitlines() or [type(error).__name__]
