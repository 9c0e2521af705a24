"""Lets Ctrl-C through TVM, whose passes are called from C++ and turn it into another error."""

from __future__ import annotations

import tvm_ffi

__all__ = ["let_interruptions_through"]


def let_interruptions_through() -> None:
    """Tells TVM to hand on the exceptions that end a process as what they are."""
    for kind in (KeyboardInterrupt, SystemExit):
        tvm_ffi.register_error(kind.__name__, kind)
