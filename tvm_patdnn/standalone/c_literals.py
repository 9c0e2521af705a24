"""Values as C writes them."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["c_floats", "c_string"]


def c_string(text: str) -> str:
    """A string literal; what is not plain ASCII is written byte by byte, in UTF-8."""
    return '"' + "".join(map(_character, text.encode())) + '"'


def c_floats(numbers: Iterable[float]) -> str:
    """Numbers of an initialiser; at least one."""
    return ", ".join(f"{float(number)!r}f" for number in numbers) or "0"


def _character(byte: int) -> str:
    plain = 32 <= byte < 127 and chr(byte) not in '"\\?'  # "??" would begin a trigraph
    return chr(byte) if plain else f"\\{byte:03o}"
