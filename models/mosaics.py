"""Made-up images, their Bayer mosaics, and PSNR: quality can be measured without data.

Needs numpy only.
"""

from __future__ import annotations

import numpy as np

__all__ = ["bayer_mosaic", "dead_leaves", "psnr", "smooth_image"]


def smooth_image(size: int, seed: int) -> np.ndarray:
    """Draws a few soft waves per colour, most of them common to all colours.

    Returns:
        (3, size, size) float32 in 0..1.
    """
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] / 128.0
    image = np.zeros((3, size, size))
    for _ in range(12):
        angle, frequency, phase = rng.uniform([0, 1, 0], [np.pi, 14, 2 * np.pi])
        colour = 1 + 0.5 * rng.standard_normal((3, 1, 1))
        path = np.cos(angle) * x + np.sin(angle) * y
        image += colour / frequency * np.cos(2 * np.pi * frequency * path + phase)
    image -= image.min()
    return (image / image.max()).astype(np.float32)


def dead_leaves(size: int, rng: np.random.Generator, leaves: int = 200) -> np.ndarray:
    """Draws opaque shaded discs, sharp and blurred, over each other.

    Sizes follow the power law of natural scenes; such images can stand in for photos in
    training restoration networks (Achddou et al., 2021).

    Returns:
        (3, size, size) float32 in 0..1.
    """
    y, x = np.mgrid[:size, :size].astype(np.float32)
    image = np.broadcast_to(rng.random((3, 1, 1), np.float32), (3, size, size)).copy()
    radii = size / 2 / np.sqrt(rng.uniform(1, (size / 3) ** 2, leaves))
    for radius in radii[::-1]:
        centre_y, centre_x, tilt_y, tilt_x = rng.uniform([0, 0, -1, -1], [size, size, 1, 1])
        dy, dx = y - np.float32(centre_y), x - np.float32(centre_x)
        blur = np.float32(rng.uniform(0.7, 2.5))  # pixels
        cover = np.clip((radius - np.hypot(dy, dx)) / blur + 0.5, 0, 1)
        grey = rng.random(dtype=np.float32)
        colour = grey + 0.15 * rng.standard_normal((3, 1, 1), np.float32)
        texture = rng.uniform(0, 0.25) * np.sin(rng.uniform(0, 2.5) * (tilt_y * dy + tilt_x * dx))
        shade = 0.3 * (tilt_y * dy + tilt_x * dx) / size + texture
        image += cover * (colour + shade.astype(np.float32) - image)
    return np.clip(image, 0, 1)


def bayer_mosaic(image: np.ndarray) -> np.ndarray:
    """Keeps one colour per pixel: green red over blue green.

    Args:
        image: (..., 3, h, w), red, green, blue.
    """
    mosaic = np.zeros_like(image)
    mosaic[..., 1, 0::2, 0::2] = image[..., 1, 0::2, 0::2]
    mosaic[..., 0, 0::2, 1::2] = image[..., 0, 0::2, 1::2]
    mosaic[..., 2, 1::2, 0::2] = image[..., 2, 1::2, 0::2]
    mosaic[..., 1, 1::2, 1::2] = image[..., 1, 1::2, 1::2]
    return mosaic


def psnr(image: np.ndarray, truth: np.ndarray, *, border: int = 8) -> float:
    """Returns the peak signal-to-noise ratio in decibels, of values in 0..1.

    Args:
        image: (..., h, w).
        truth: the same shape.
        border: pixels at each edge that do not count.
    """
    inside = (..., slice(border, -border), slice(border, -border))
    error = np.clip(image, 0, 1)[inside] - truth[inside]
    return float(-10 * np.log10(np.mean(np.square(error, dtype=np.float64))))
