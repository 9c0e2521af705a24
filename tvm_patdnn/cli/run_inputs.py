"""The inputs of ``tvm-patdnn run``: files, the images of a folder, or made-up arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from tvm_patdnn.cli.read_input import Normalisation, read_input
from tvm_patdnn.errors import LibraryError
from tvm_patdnn.evaluation.labelled_folder import images_in
from tvm_patdnn.evaluation.random_inputs import random_inputs
from tvm_patdnn.tensor_spec import TensorSpec

__all__ = ["given_inputs"]


def given_inputs(
    files: Sequence[tuple[str, str]],
    known: Mapping[str, TensorSpec],
    normalisation: Normalisation,
) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """Yields inputs, each with the name of what they are of: a folder's files one by one.

    Args:
        files: name of the input and file or folder; none for made-up inputs.
        known: the inputs; all are named in ``files``.

    Raises:
        LibraryError: a file cannot be read, or there are two folders.
    """
    if not files:
        yield _made_up(known), random_inputs(known)
        return
    paths = {name: Path(path) for name, path in files}
    folders = [name for name, path in paths.items() if path.is_dir()]
    if len(folders) > 1:
        raise LibraryError(f"{', '.join(folders)}: two folders; expected one, for one input")
    fixed = {
        name: read_input(path, name, known[name], normalisation)
        for name, path in paths.items()
        if name not in folders
    }
    if not folders:
        yield ", ".join(path.name for path in paths.values()), fixed
        return
    (name,) = folders
    for path in images_in(paths[name]):
        yield path.name, fixed | {name: read_input(path, name, known[name], normalisation)}


def _made_up(known: Mapping[str, TensorSpec]) -> str:
    """Says that no input was given, and how to give one."""
    options = " ".join(f"--input {name}=FILE" for name in known)
    return f"made-up numbers, the same each time; for your own: {options}"
