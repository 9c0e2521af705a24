"""Where LLVM writes object files: to memory.

Where it cannot write all of a file, as on a full disk, LLVM ends the process.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tvm_patdnn.errors import BuildError

__all__ = ["check_file_size", "objects_in_memory"]


@contextmanager
def objects_in_memory(folder: Path, names: Sequence[str]) -> Iterator[None]:
    """Makes files of these names in ``folder`` that are in memory, where the system can.

    Raises:
        OSError: the folder cannot be written to.
    """
    if not hasattr(os, "memfd_create"):
        yield
        return
    with ExitStack() as opened:
        for name in names:
            file = os.memfd_create(name)
            opened.callback(os.close, file)
            (folder / name).symlink_to(f"/proc/{os.getpid()}/fd/{file}")
        yield


def check_file_size(largest: Callable[[], int]) -> None:
    """Checks that this process may write such files; the limit holds in memory, too.

    Args:
        largest: tells the bytes of the largest; only asked where there is a limit.

    Raises:
        BuildError: it may not.
    """
    try:
        import resource
    except ImportError:  # not on this system
        return
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    if limit == resource.RLIM_INFINITY:
        return
    most = largest()
    if limit < most:
        raise BuildError(
            f"files of this process may have at most {limit} bytes, but those of this library "
            f"may need {most}; raise the limit (`ulimit -f`)"
        )
