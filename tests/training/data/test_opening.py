import numpy as np
import pytest
import torch
from PIL import Image

from tests.training.data.made_files import (
    idx,
    labels_of,
    pictures,
    write_cifar_binary,
    write_cifar_python,
    write_folders,
    write_jpeg_npz,
    write_mnist,
)
from tvm_patdnn.errors import TrainingError
from tvm_patdnn.training.data import open_data
from tvm_patdnn.training.data.cache import cache_folder


def test_jpeg_npz(tmp_path):
    write_jpeg_npz(tmp_path)
    data = open_data(tmp_path)
    assert data.name == "CIFAR-10 (JPEG)"
    assert data.classes == tuple("abcdefghij")
    assert data.train.shape == (3, 32, 32)
    assert data.train.images.dtype == torch.uint8
    assert data.train.labels.tolist() == labels_of(20).tolist()
    apart = np.abs(data.train.images.numpy().astype(int) - pictures(20, 1))
    assert apart.mean() < 4
    assert len(data.test.labels) == 10
    assert data.train.augmentation.flip


def test_decoded_images_are_cached(tmp_path):
    write_jpeg_npz(tmp_path)
    first = open_data(tmp_path)
    stored = sorted(cache_folder().glob("*.npy"))
    assert len(stored) == 2
    np.save(stored[0], np.load(stored[0]) * 0)
    again = open_data(tmp_path)
    black = [half for half in (again.train, again.test) if not half.images.any()]
    assert len(black) == 1
    write_jpeg_npz(tmp_path)  # the files are newer: decoded again
    assert torch.equal(open_data(tmp_path).train.images, first.train.images)


def test_without_a_cache(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    write_jpeg_npz(tmp_path)
    assert len(open_data(tmp_path).train.labels) == 20


@pytest.mark.parametrize("write", [write_cifar_python, write_cifar_binary])
def test_cifar(tmp_path, write):
    write(tmp_path)
    data = open_data(tmp_path)
    assert data.name == "CIFAR-10"
    assert data.classes[3] == "cat"
    expected = np.concatenate([pictures(8, 1), pictures(4, 2)])
    assert (data.train.images.numpy() == expected).all()
    assert data.train.labels.tolist() == [*labels_of(8), *labels_of(4)]
    assert (data.test.images.numpy() == pictures(6, 3)).all()


def test_cifar_as_an_old_numpy_wrote_it(tmp_path):
    write_cifar_python(tmp_path)
    path = tmp_path / "test_batch"
    stored = path.read_bytes().replace(b"cnumpy._core.multiarray", b"cnumpy.core.multiarray")
    assert stored != path.read_bytes()
    path.write_bytes(stored)
    assert (open_data(tmp_path).test.images.numpy() == pictures(6, 3)).all()


@pytest.mark.parametrize("packed", [False, True])
def test_mnist(tmp_path, packed):
    write_mnist(tmp_path, packed=packed)
    data = open_data(tmp_path)
    assert data.train.shape == (1, 28, 28)
    assert (data.train.images.numpy()[:, 0] == pictures(20, 1, 28)[:, 0]).all()
    assert data.test.labels.tolist() == labels_of(10).tolist()
    assert not data.train.augmentation.flip
    assert open_data(tmp_path, flip=True).train.augmentation.flip
    grey = data.normalise(data.test.batch(torch.arange(3)), channels=3)
    assert grey.shape == (3, 3, 28, 28)
    assert torch.equal(grey[:, 0], grey[:, 2])


@pytest.mark.parametrize("test", ["test", "val"])
def test_image_folder(tmp_path, test):
    write_folders(tmp_path, test=test)
    data = open_data(tmp_path)
    assert data.classes == ("cat", "dog")
    expected = np.concatenate([pictures(4, 0), pictures(4, 1)])
    assert (data.train.images.numpy() == expected).all()
    assert data.train.labels.tolist() == [0] * 4 + [1] * 4


def test_image_folder_scaled(tmp_path):
    write_folders(tmp_path, size=40)
    data = open_data(tmp_path, image_size=24)
    images = data.test.batch(torch.tensor([0, 2]))
    assert images.shape == (2, 3, 24, 24)
    assert images.dtype == torch.uint8
    assert data.mean == (0.485, 0.456, 0.406)


def test_normalised_images_have_mean_0_and_deviation_1(tmp_path):
    write_cifar_binary(tmp_path)
    data = open_data(tmp_path)
    scaled = data.normalise(data.train.batch(torch.arange(12)), channels=3)
    assert torch.allclose(scaled.mean(dim=(0, 2, 3)), torch.zeros(3), atol=1e-4)
    assert torch.allclose(scaled.std(dim=(0, 2, 3)), torch.ones(3), atol=1e-3)


def failing(folder, message, **options):
    with pytest.raises(TrainingError, match=message):
        open_data(folder, **options)


def test_no_folder(tmp_path):
    failing(tmp_path / "none", "none: no such folder; give the folder of a data set")


def test_no_known_form(tmp_path):
    failing(tmp_path, "does not hold a known data set; expected data_batch_1 .*train/CLASS/")


def test_missing_halves(tmp_path):
    write_jpeg_npz(tmp_path)
    (tmp_path / "cifar10_test_jpeg.npz").unlink()
    failing(tmp_path, "cifar10_test_jpeg.npz: no such file; it belongs to the training images")


@pytest.mark.parametrize(
    ("write", "name"), [(write_cifar_python, "test_batch"), (write_cifar_binary, "test_batch.bin")]
)
def test_missing_test_batch(tmp_path, write, name):
    write(tmp_path)
    (tmp_path / name).unlink()
    failing(tmp_path, f"{name}: no such file")


def test_missing_mnist_labels(tmp_path):
    write_mnist(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    failing(tmp_path, "t10k-labels-idx1-ubyte: no such file, with or without .gz")


@pytest.mark.parametrize(
    ("name", "stored", "message"),
    [
        ("train-images-idx3-ubyte", b"abc", "is not an idx file of uint8 with 3 axes"),
        ("train-labels-idx1-ubyte", idx(np.zeros(20, np.uint8))[:-1], "19 bytes .* header says 20"),
        ("train-labels-idx1-ubyte", idx(np.zeros(9, np.uint8)), "20 images, but 9 labels"),
    ],
)
def test_broken_mnist(tmp_path, name, stored, message):
    write_mnist(tmp_path)
    (tmp_path / name).write_bytes(stored)
    failing(tmp_path, message)


def test_broken_gzip(tmp_path):
    write_mnist(tmp_path, packed=True)
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(b"abc")
    failing(tmp_path, "train-images-idx3-ubyte.gz: cannot be read")


def test_broken_cifar(tmp_path):
    write_cifar_binary(tmp_path)
    (tmp_path / "data_batch_2.bin").write_bytes(bytes(100))
    failing(tmp_path, "data_batch_2.bin: 100 bytes are not a whole number of records of 3073")
    (tmp_path / "data_batch_1").write_bytes(b"nonsense")
    (tmp_path / "test_batch").write_bytes(b"nonsense")
    failing(tmp_path, "data_batch_1: cannot be read: .*expected a batch of CIFAR-10's Python")


def test_a_pickle_that_would_run_code(tmp_path):
    write_cifar_python(tmp_path)
    (tmp_path / "data_batch_1").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    failing(tmp_path, "it holds a os.system, which is not an array")


def test_broken_npz(tmp_path):
    write_jpeg_npz(tmp_path)
    path = tmp_path / "cifar10_train_jpeg.npz"
    stored = dict(np.load(path))
    np.savez(path, **{**stored, "offsets": stored["offsets"][::-1]})
    failing(tmp_path, "its offsets do not rise from 0")
    np.savez(path, **{**stored, "data": np.zeros_like(stored["data"])})
    failing(tmp_path, "train_jpeg.npz image 0: cannot be decoded")
    np.savez(path, data=stored["data"])
    failing(tmp_path, "train_jpeg.npz: cannot be read: .*expected an .npz file with data, offsets")
    path.write_bytes(b"nonsense")
    failing(tmp_path, "train_jpeg.npz: cannot be read")


def test_other_classes_in_the_test_half(tmp_path):
    write_jpeg_npz(tmp_path)
    path = tmp_path / "cifar10_test_jpeg.npz"
    np.savez(path, **{**dict(np.load(path)), "classes": np.array(list("jihgfedcba"))})
    failing(tmp_path, "test_jpeg.npz: its classes are not those of cifar10_train_jpeg.npz")


def test_labels_beyond_the_classes(tmp_path):
    write_jpeg_npz(tmp_path)
    for path in tmp_path.glob("*.npz"):
        np.savez(path, **{**dict(np.load(path)), "classes": np.array(["a", "b"])})
    failing(tmp_path, "labels run from 0 to 9, but there are 2 classes")


def test_broken_folders(tmp_path):
    write_folders(tmp_path)
    Image.new("RGB", (8, 9)).save(tmp_path / "train" / "dog" / "9.png")
    failing(tmp_path, "9.png: the image is 8x9, those before are 32x32; .* or an image size")
    (tmp_path / "train" / "dog" / "9.png").write_bytes(b"nonsense")
    failing(tmp_path, "9.png: cannot be decoded")
    (tmp_path / "test" / "cow").mkdir()
    failing(tmp_path, "only one of both has cow")
    (tmp_path / "train" / "cow").mkdir()
    failing(tmp_path, "cow: there are no images in it")


def test_folders_without_a_test_half(tmp_path):
    write_folders(tmp_path, test="other")
    failing(tmp_path, "beside train there is no test or val")
