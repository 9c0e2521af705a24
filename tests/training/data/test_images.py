import pytest
import torch

from tests.training.tiny import CLASSES
from tvm_patdnn.errors import TrainingError
from tvm_patdnn.training.data.images import DataSet, MemoryImages


def images(count=6, size=4, channels=3):
    pixels = torch.arange(count * channels * size * size) % 256
    return MemoryImages(
        pixels.reshape(count, channels, size, size).to(torch.uint8), torch.arange(count) % 3
    )


def test_batches_in_the_order_asked_for():
    source = images()
    assert torch.equal(source.batch(torch.tensor([4, 1])), source.images[[4, 1]])


def test_fewer_images_are_drawn_the_same_way_for_a_seed(data):
    few = data.limited(10, 5)
    assert (len(few.train.labels), len(few.test.labels)) == (10, 5)
    assert torch.equal(few.train.images, data.limited(10, 5).train.images)
    assert not torch.equal(few.train.images, data.train.images[:10])
    assert len(set(few.train.labels.tolist())) > 1
    assert data.limited(None, None).train is data.train


@pytest.mark.parametrize(
    ("pixels", "labels", "message"),
    [(2, 3, "made: 2 images, but 3 labels"), (0, 0, "made: there are no images")],
)
def test_images_and_labels_must_fit(pixels, labels, message):
    with pytest.raises(TrainingError, match=message):
        MemoryImages(torch.zeros(pixels, 3, 2, 2), torch.zeros(labels), where="made")


def test_both_halves_must_be_of_one_size():
    with pytest.raises(TrainingError, match=r"training images are \(3, 4, 4\), test images"):
        DataSet(
            name="d",
            train=images(),
            test=images(size=5),
            classes=CLASSES,
            mean=(0.0,) * 3,
            std=(1.0,) * 3,
        )
