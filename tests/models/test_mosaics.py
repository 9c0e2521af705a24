import numpy as np
import pytest

from models.mosaics import bayer_mosaic, dead_leaves, psnr, smooth_image


@pytest.mark.parametrize(
    "make", [smooth_image, lambda n, s: dead_leaves(n, np.random.default_rng(s))]
)
def test_images_are_reproducible_and_in_range(make):
    image = make(32, 3)
    assert image.shape == (3, 32, 32)
    assert image.dtype == np.float32
    assert np.array_equal(image, image.clip(0, 1))
    assert image.std() > 0.02
    assert np.array_equal(image, make(32, 3))
    assert not np.array_equal(image, make(32, 4))


def test_a_mosaic_keeps_one_colour_of_each_pixel():
    mosaic = bayer_mosaic(np.ones((2, 3, 4, 4)))
    assert (mosaic.sum(axis=1) == 1).all()
    assert mosaic[0, :, :2, :2].argmax(axis=0).tolist() == [[1, 0], [2, 1]]


def test_psnr():
    truth = np.full((3, 32, 32), 0.5)
    assert psnr(truth + 0.1, truth) == pytest.approx(20)
    spoiled = truth.copy()
    spoiled[:, 0] = 1
    assert psnr(spoiled + 0.01, truth) == pytest.approx(40)
