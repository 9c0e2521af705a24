"""Decodes images with pillow."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from tvm_patdnn.errors import TrainingError

__all__ = ["decode", "decode_all", "open_image"]


def open_image(source: Path | bytes, where: str) -> Image.Image:
    """Opens an image as RGB, wholly read.

    Raises:
        TrainingError: it is not an image, or it is cut off.
    """
    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
            return image.convert("RGB")
    except (UnidentifiedImageError, OSError) as error:
        raise TrainingError(
            f"{where}: cannot be decoded: {error}; expected an image such as PNG or JPEG"
        ) from error


def decode(source: Path | bytes, where: str) -> np.ndarray:
    """Returns an image as (3, h, w) uint8."""
    return np.asarray(open_image(source, where)).transpose(2, 0, 1)


def decode_all(sources: Iterable[tuple[str, Path | bytes]]) -> np.ndarray:
    """Decodes images of one size: (n, 3, h, w) uint8.

    Args:
        sources: of each image a name for messages, and its file or its bytes.

    Raises:
        TrainingError: one cannot be decoded, or has another size than the first.
    """
    images: list[np.ndarray] = []
    for where, source in sources:
        image = decode(source, where)
        if images and image.shape != images[0].shape:
            have, want = ("x".join(map(str, i.shape[:0:-1])) for i in (image, images[0]))
            raise TrainingError(
                f"{where}: the image is {have}, those before are {want}; give images of one "
                "size, or an image size to scale them to"
            )
        images.append(image)
    return np.stack(images) if images else np.zeros((0, 3, 1, 1), np.uint8)
