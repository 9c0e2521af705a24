import numpy as np
import pytest
import torch
from PIL import Image

from tvm_patdnn.errors import TrainingError
from tvm_patdnn.training.data.file_images import FileImages, central_box, random_box


@pytest.fixture
def source(tmp_path):
    """Three images, 60 x 40, red rising from left to right."""
    paths = []
    for i in range(3):
        pixels = np.zeros((40, 60, 3), np.uint8)
        pixels[..., 0] = np.arange(60) * 4
        pixels[..., 2] = 100 * i
        paths.append(tmp_path / f"{i}.png")
        Image.fromarray(pixels).save(paths[-1])
    return FileImages(paths, [0, 1, 2], 16)


def test_the_middle_of_test_images(source):
    batch = source.batch(torch.tensor([2, 0]))
    assert batch.shape == (2, 3, 16, 16)
    assert set(batch[:, 2].flatten(1).float().mean(dim=1).tolist()) == {200.0, 0.0}
    red = batch[0, 0, 0].float()
    assert red.mean() == pytest.approx(4 * 29.5, abs=3)  # 35 of 60 columns, centred
    assert (red.diff() > 0).all()
    assert red[-1] - red[0] == pytest.approx(4 * 35 * 15 / 16, abs=8)


def test_training_images_vary_and_repeat_with_the_seed(source):
    indices = torch.zeros(40, dtype=torch.int64)
    first = source.batch(indices, torch.Generator().manual_seed(1))
    again = source.batch(indices, torch.Generator().manual_seed(1))
    assert torch.equal(first, again)
    rising = first[:, 0, 0, -1] > first[:, 0, 0, 0]
    assert 5 < int(rising.sum()) < 35  # the others are mirrored
    assert len({tuple(image.flatten().tolist()) for image in first}) > 35


def test_without_mirroring(source):
    plain = FileImages(source.paths, [0, 1, 2], 16, flip=False)
    found = plain.batch(torch.zeros(40, dtype=torch.int64), torch.Generator().manual_seed(1))
    assert (found[:, 0, 0, -1] >= found[:, 0, 0, 0]).all()


def test_boxes():
    assert central_box(256, 320) == (16, 48, 240, 272)
    rng = np.random.default_rng(0)
    for _ in range(200):
        left, top, right, bottom = random_box(60, 40, rng)
        assert 0 <= left < right <= 60
        assert 0 <= top < bottom <= 40
        assert 0.079 < (right - left) * (bottom - top) / 2400 <= 1
        assert 0.74 < (right - left) / (bottom - top) < 1.34
    assert random_box(1000, 2, rng) == (499, 0, 501, 2)


def test_choosing_some(source):
    few = source.first(2, seed=0)
    assert len(few.paths) == len(few.labels) == 2
    for path, label in zip(few.paths, few.labels.tolist()):
        assert path == source.paths[label]


def test_too_small(tmp_path):
    with pytest.raises(TrainingError, match="image size 4: expected at least 8 pixels"):
        FileImages([tmp_path], [0], 4)


def test_a_broken_file(source):
    source.paths[1].write_bytes(b"nonsense")
    with pytest.raises(TrainingError, match="1.png: cannot be decoded: .*expected an image"):
        source.batch(torch.tensor([1]))
