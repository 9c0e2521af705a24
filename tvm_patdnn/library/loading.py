"""Loads a built library of either kind."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tvm_patdnn.errors import LibraryError
from tvm_patdnn.library.elf import check_loads_here
from tvm_patdnn.library.seal import STANDALONE, check_seal
from tvm_patdnn.library.standalone_model import StandaloneModel

if TYPE_CHECKING:
    from tvm_patdnn.library.running import RunnableModel

__all__ = ["load"]


def load(
    path: str | os.PathLike[str], num_threads: int | None = None, *, check_weights: bool = False
) -> StandaloneModel | RunnableModel:
    """Loads a library that ``export_standalone`` or ``export_library`` wrote.

    The file's content tells which; only the latter kind needs TVM.

    Args:
        num_threads: that compute; one per physical core by default.
        check_weights: of a standalone library, which is loaded without reading its weights, read
            them to see that none is damaged. The other kind is always read as a whole.

    Raises:
        LibraryError: there is no such file, it is damaged, is for another CPU, or was not
            built by this package; the number of threads is impossible; or it needs TVM, which
            is not installed.
    """
    path = Path(path)
    check_loads_here(path)
    sealed = check_seal(path, weights=check_weights)
    if sealed.kind == STANDALONE:
        return StandaloneModel(path, num_threads, sealed=sealed)
    try:
        from tvm_patdnn.library.load_vm import load as load_with_tvm
    except ImportError as error:
        raise LibraryError(
            f"{path}: is of the kind that needs TVM ({error}); install tvm-patdnn, or build it "
            "with --kind standalone"
        ) from error
    return load_with_tvm(path, num_threads)
