"""Lists the images of a folder with a folder for each class, and numbers their classes."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

from tvm_patdnn.errors import LibraryError

__all__ = ["images_in", "labelled_images"]

_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".webp"})
_HALVES = ("test", "val", "validation")


def images_in(folder: Path) -> list[Path]:
    """Returns the image files of ``folder`` by name.

    Raises:
        LibraryError: it cannot be read, or has none.
    """
    try:
        found = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
    except OSError as error:
        raise LibraryError(f"{folder}: cannot be read: {error.strerror or error}") from error
    if not found:
        raise LibraryError(f"{folder}: there are no images in it ({', '.join(sorted(_SUFFIXES))})")
    return found


def labelled_images(
    folder: Path, classes: Sequence[str], scores: int
) -> tuple[list[Path], list[int]]:
    """Lists ``folder/CLASS/*``; a test half in the folder (``test``, ``val``) is taken instead.

    Warns where some classes of the model have no folder.

    Args:
        classes: the model's names, in the order of its scores; empty where it has none. Then
            folders are numbered by their names if these are numbers, else in alphabetical
            order.
        scores: how many the model gives.

    Returns:
        The files, and the number of the class of each.

    Raises:
        LibraryError: there are no such folders, a class is not the model's, there are not as
            many names as scores, or there is no telling which folder is which class.
    """
    half = next((folder / name for name in _HALVES if (folder / name).is_dir()), folder)
    if not half.is_dir():
        raise LibraryError(f"{folder}: no such folder; give one with a folder for each class")
    names = sorted(entry.name for entry in half.iterdir() if entry.is_dir())
    if not names:
        raise LibraryError(f"{half}: has no folders; expected one for each class, with its images")
    numbers = _numbers(half, names, classes, scores)
    if len(names) < scores:
        warnings.warn(
            f"{half}: has folders of {len(names)} of the {scores} classes, so this is the accuracy "
            f"on these alone; add the others, or use a model of {len(names)} classes",
            stacklevel=2,
        )
    files = [(path, numbers[name]) for name in names for path in images_in(half / name)]
    return [path for path, _ in files], [number for _, number in files]


def _numbers(
    half: Path, names: Sequence[str], classes: Sequence[str], scores: int
) -> dict[str, int]:
    if classes and len(classes) != scores:
        raise LibraryError(
            f"{half}: {len(classes)} classes are named, but the model gives {scores} scores; name "
            "each of them with --classes"
        )
    unknown = [name for name in names if classes and name not in classes]
    if unknown:
        raise LibraryError(
            f"{half}: the model has no class {unknown[0]!r}; it has {', '.join(classes[:5])}"
            f"{', ...' if len(classes) > 5 else ''}; rename the folder, or give --classes"
        )
    if classes:
        return {name: classes.index(name) for name in names}
    if all(name.isdecimal() and int(name) < scores for name in names):
        return {name: int(name) for name in names}
    if len(names) != scores:
        raise LibraryError(
            f"{half}: has {len(names)} folders, but the model gives {scores} scores and does not "
            "name its classes; give their names with --classes, or number the folders"
        )
    return {name: number for number, name in enumerate(names)}
