"""Shows warnings as the command shows errors: a line on stderr."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["plain_warnings"]


@contextmanager
def plain_warnings(*, quiet: bool) -> Iterator[None]:
    """Shows each warning once, without where it comes from, or none at all."""

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: object = None,
        line: str | None = None,
    ) -> None:
        print(f"tvm-patdnn: warning: {' '.join(str(message).split())}", file=sys.stderr)

    with warnings.catch_warnings():
        if quiet:
            warnings.simplefilter("ignore")
        else:
            warnings.showwarning = show
        yield
