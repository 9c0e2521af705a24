"""Reads an input of a model from an array or an image file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from tvm_patdnn.errors import LibraryError
from tvm_patdnn.tensor_spec import TensorSpec

__all__ = ["Normalisation", "read_input"]

_MODES = {1: "L", 3: "RGB"}  # Pillow's names, by channels
_GRAY_16 = "I;16"  # how the names of its modes of 16 bits begin; it reads colours as 8 bits
_UNKNOWN_RANGE = ("I", "F")


@dataclass(frozen=True, kw_only=True)
class Normalisation:
    """How pixels 0..255 become values: ``(pixel * scale - mean) / std``.

    Attributes:
        mean, std: one number, or one per channel.
        crop: the side of the middle square that is taken, over the image's shorter side; None
            for the whole image.

    Raises:
        LibraryError: a standard deviation is zero, or the share is not one.
    """

    scale: float = 1 / 255
    mean: Sequence[float] = (0.0,)
    std: Sequence[float] = (1.0,)
    crop: float | None = None

    def __post_init__(self) -> None:
        if 0 in self.std:
            raise LibraryError(
                f"std={list(self.std)}: values are divided by it; expected numbers other than 0"
            )
        if self.crop is not None and not 0 < self.crop <= 1:
            raise LibraryError(f"crop={self.crop}: expected a share of 0 to 1, such as 0.875")

    def resize(self, image: Image.Image, size: tuple[int, int]) -> Image.Image:
        """Scales an image, or its middle, to ``size``: (width, height)."""
        if self.crop is None:
            return image.resize(size)
        side = min(image.size) * self.crop
        left, top = ((length - side) / 2 for length in image.size)
        box = (left, top, left + side, top + side)
        return image.resize(size, Image.Resampling.BILINEAR, box=box, reducing_gap=2.0)

    def apply(self, pixels: np.ndarray) -> np.ndarray:
        """Normalises ``pixels``: (height, width, channels), 0..255, to float32."""
        channels = pixels.shape[-1]
        for name in ("mean", "std"):
            given = getattr(self, name)
            if len(given) not in (1, channels):
                raise LibraryError(
                    f"{name}={list(given)}: has {len(given)} numbers, but the input has {channels} "
                    f"channel{'s' * (channels != 1)}; give one, or one per channel"
                )
        return ((pixels * self.scale - self.mean) / self.std).astype(np.float32)


def read_input(path: Path, name: str, spec: TensorSpec, normalisation: Normalisation) -> np.ndarray:
    """Reads ``path`` as the input ``name``.

    Args:
        path: a .npy file, returned as it is; anything else is opened as an image, resized
            to the input and put into its order of dimensions, of 1 or 3 channels.
        spec: the input's shape and dtype.
        normalisation: of images.

    Raises:
        LibraryError: the file cannot be read, or the input is not of an image's shape, or the
            image is of numbers whose range is not known.
    """
    if path.suffix.lower() == ".npy":
        return _read_array(path)
    return _read_image(path, name, spec, normalisation)


def _read_array(path: Path) -> np.ndarray:
    try:
        # Mapped first: a header that claims more than the file holds is noticed, not allocated.
        mapped: np.ndarray = np.lib.format.open_memmap(path, mode="r")
        array = np.array(mapped)
    except OSError as error:
        raise LibraryError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, TypeError, EOFError, OverflowError, MemoryError) as error:
        raise LibraryError(
            f"{path}: is not a .npy file of numbers ({error}); write it with numpy.save"
        ) from error
    return array


def _read_image(
    path: Path, name: str, spec: TensorSpec, normalisation: Normalisation
) -> np.ndarray:
    height, width, channels, channels_first = _image_layout(path, name, spec)
    try:
        with Image.open(path) as image:
            pixels = _pixels(image, path, (width, height), channels, normalisation)
    except UnidentifiedImageError:
        raise LibraryError(
            f"{path}: is neither a .npy file nor an image that Pillow can read"
        ) from None
    except (OSError, Image.DecompressionBombError) as error:
        reason = getattr(error, "strerror", None) or error
        raise LibraryError(f"{path}: cannot be read: {reason}") from error
    values = normalisation.apply(pixels)
    ordered = values.transpose(2, 0, 1) if channels_first else values
    return ordered.reshape(spec.shape)


def _pixels(
    image: Image.Image,
    path: Path,
    size: tuple[int, int],
    channels: int,
    normalisation: Normalisation,
) -> np.ndarray:
    """Returns (height, width, channels) values in 0..255, whatever bits the image has."""
    if image.mode.startswith(_GRAY_16) or (image.mode, image.format) == ("I", "PPM"):
        gray = Image.fromarray(np.asarray(image, np.float32) * np.float32(255 / 65535))
        return np.asarray(normalisation.resize(gray, size))[..., None].repeat(channels, axis=2)
    if image.mode in _UNKNOWN_RANGE:
        raise LibraryError(
            f"{path}: is an image of 32-bit numbers (mode {image.mode}), whose range is not known; "
            "give an image of 8 or 16 bits, or a .npy file"
        )
    converted = image.convert(_MODES[channels])
    return np.asarray(normalisation.resize(converted, size)).reshape(size[1], size[0], channels)


def _image_layout(path: Path, name: str, spec: TensorSpec) -> tuple[int, int, int, bool]:
    """Returns height, width, channels, and whether channels come before height."""
    shape, dtype = spec
    image = shape[1:] if len(shape) == 4 and shape[0] == 1 else shape
    if len(image) == 3 and dtype == "float32":
        if image[0] in _MODES:
            return image[1], image[2], image[0], True
        if image[2] in _MODES:
            return image[0], image[1], image[2], False
    raise LibraryError(
        f"{path}: input '{name}' is {dtype} of shape {list(shape)}, which one image does not fill; "
        "expected float32 of shape [1, C, H, W] or [1, H, W, C] with 1 or 3 channels; give a .npy "
        "file"
    )
