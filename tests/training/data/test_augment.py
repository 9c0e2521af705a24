import torch

from tvm_patdnn.training.data.augment import Augmentation, Crops, draw_crops, take_crops


def counting(count=3):
    return torch.arange(count * 2 * 4 * 5).reshape(count, 2, 4, 5).to(torch.uint8)


def test_crops_against_slices_of_the_padded_image():
    images, padding = counting(), 2
    crops = Crops(torch.tensor([0, 4, 1]), torch.tensor([3, 0, 2]), torch.tensor([0, 1, 1]).bool())
    found = take_crops(images, torch.tensor([2, 0, 0]), crops, padding)
    padded = torch.nn.functional.pad(images, (padding,) * 4)
    assert torch.equal(found[0], padded[2, :, 0:4, 3:8])
    assert torch.equal(found[1], padded[0, :, 4:8, 0:5].flip(-1))
    assert torch.equal(found[2], padded[0, :, 1:5, 2:7].flip(-1))
    assert found.dtype == images.dtype


def test_no_augmentation_changes_nothing():
    draw = torch.Generator().manual_seed(0)
    crops = draw_crops(3, Augmentation(), draw)
    assert torch.equal(take_crops(counting(), torch.arange(3), crops, 0), counting())


def test_draws_cover_all_places():
    crops = draw_crops(500, Augmentation(padding=2, flip=True), torch.Generator().manual_seed(0))
    assert set(crops.y.tolist()) == set(crops.x.tolist()) == set(range(5))
    assert 150 < int(crops.flipped.sum()) < 350
    unflipped = draw_crops(500, Augmentation(padding=2), torch.Generator().manual_seed(0))
    assert not unflipped.flipped.any()
