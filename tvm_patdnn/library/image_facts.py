"""What a model file says about its images: how they are normalised, what the classes are called.

The keys ``mean``, ``std``, ``classes`` and ``crop`` of an ONNX file's metadata, as `train` writes
them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["IMAGE_KEYS", "ImageFacts", "image_facts"]

IMAGE_KEYS = ("mean", "std", "classes", "crop")


@dataclass(frozen=True, kw_only=True)
class ImageFacts:
    """An input is ``(pixel / 255 - mean) / std``; nothing where the file does not say it.

    Attributes:
        mean, std: a number per channel; as many of the one as of the other.
        classes: their names.
        crop: the side of the middle square that is scaled to the input, over the shorter side
            of the image; None where the whole image is scaled.
    """

    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    classes: tuple[str, ...] = ()
    crop: float | None = None


def image_facts(properties: Mapping[str, str]) -> ImageFacts:
    """Reads them from ``properties``; numbers that are none, or do not match, are left out."""
    classes = tuple(properties["classes"].split(",")) if properties.get("classes") else ()
    crop = _numbers(properties, "crop")
    mean, std = _numbers(properties, "mean"), _numbers(properties, "std")
    if len(mean) != len(std) or 0 in std:
        mean = std = ()
    share = crop[0] if len(crop) == 1 and 0 < crop[0] <= 1 else None
    return ImageFacts(mean=mean, std=std, classes=classes, crop=share)


def _numbers(properties: Mapping[str, str], key: str) -> tuple[float, ...]:
    try:
        return tuple(float(number) for number in properties[key].split(","))
    except (KeyError, ValueError):
        return ()
