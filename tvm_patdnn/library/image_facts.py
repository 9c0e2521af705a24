"""What a model file says about its images: how they are normalised, what the classes are called.

The keys ``mean``, ``std`` and ``classes`` of an ONNX file's metadata, as `train` writes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["IMAGE_KEYS", "ImageFacts", "image_facts"]

IMAGE_KEYS = ("mean", "std", "classes")


@dataclass(frozen=True, kw_only=True)
class ImageFacts:
    """An input is ``(pixel / 255 - mean) / std``; nothing where the file does not say it.

    Attributes:
        mean, std: a number per channel; as many of the one as of the other.
        classes: their names.
    """

    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    classes: tuple[str, ...] = ()


def image_facts(properties: Mapping[str, str]) -> ImageFacts:
    """Reads them from ``properties``; numbers that are none, or do not match, are left out."""
    classes = tuple(properties["classes"].split(",")) if properties.get("classes") else ()
    try:
        mean, std = (
            tuple(float(number) for number in properties[key].split(",")) for key in ("mean", "std")
        )
    except (KeyError, ValueError):
        return ImageFacts(classes=classes)
    if len(mean) != len(std) or 0 in std:
        return ImageFacts(classes=classes)
    return ImageFacts(mean=mean, std=std, classes=classes)
