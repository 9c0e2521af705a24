import numpy as np
import onnx
from onnx import helper

from models.calibration import made_up_mosaics, made_up_pictures
from tests.onnx_models import conv_model


def test_pictures_are_scaled_as_the_file_says_and_always_the_same():
    model = conv_model()
    helper.set_model_props(model, {"mean": "0.5,0.5,0.5", "std": "0.25,0.25,0.125"})
    first, second = made_up_pictures(model, 2)
    assert first.shape == (1, 3, 8, 8)
    assert first.dtype == np.float32
    assert -2 <= first[:, :2].min() < first[:, :2].max() <= 2
    assert np.abs(first[:, 2]).max() > 2
    assert not np.array_equal(first, second)
    assert np.array_equal(first, next(iter(made_up_pictures(model))))


def test_mosaics_have_one_colour_a_pixel():
    (mosaic,) = made_up_mosaics(conv_model(), 1)
    assert mosaic.shape == (1, 3, 8, 8)
    assert ((mosaic != 0).sum(axis=1) <= 1).all()


def test_the_shipped_classifier_says_how_images_are_scaled():
    (picture,) = made_up_pictures(onnx.load("models/small_vgg_cifar10_pruned.onnx"), 1)
    assert picture.shape == (1, 3, 32, 32)
