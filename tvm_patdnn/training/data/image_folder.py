"""Images in folders: ``train/CLASS/*.png`` and ``test/CLASS/*.png`` (or ``val``)."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tvm_patdnn.errors import TrainingError

__all__ = ["FolderHalf", "is_image_folder", "list_images"]

_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".webp"})
_TEST = ("test", "val", "validation")


class FolderHalf(NamedTuple):
    """The files of one half.

    Attributes:
        paths: in the order of classes and names.
        labels: of each file.
        where: the folder.
    """

    paths: tuple[Path, ...]
    labels: tuple[int, ...]
    where: Path


def is_image_folder(folder: Path) -> bool:
    """Whether ``folder`` holds a ``train`` with folders in it."""
    train = folder / "train"
    return train.is_dir() and any(entry.is_dir() for entry in train.iterdir())


def list_images(folder: Path) -> tuple[FolderHalf, FolderHalf, tuple[str, ...]]:
    """Lists both halves, and the classes in alphabetical order.

    Raises:
        TrainingError: the test half is missing, a half has classes of its own, or a
            class is empty.
    """
    train = folder / "train"
    test = next((folder / name for name in _TEST if (folder / name).is_dir()), None)
    if test is None:
        raise TrainingError(
            f"{folder}: beside train there is no {' or '.join(_TEST)}; add the test images"
        )
    classes = _classes(train)
    if _classes(test) != classes:
        differing = sorted(set(classes).symmetric_difference(_classes(test)))
        raise TrainingError(
            f"{test}: its classes are not those of train: only one of both has "
            f"{', '.join(differing[:5])}"
        )
    return _half(train, classes), _half(test, classes), classes


def _classes(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(entry.name for entry in folder.iterdir() if entry.is_dir()))


def _half(folder: Path, classes: tuple[str, ...]) -> FolderHalf:
    paths: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        found = sorted(p for p in (folder / name).iterdir() if p.suffix.lower() in _SUFFIXES)
        if not found:
            kinds = ", ".join(sorted(_SUFFIXES))
            raise TrainingError(f"{folder / name}: there are no images in it ({kinds})")
        paths += found
        labels += [label] * len(found)
    return FolderHalf(tuple(paths), tuple(labels), folder)
