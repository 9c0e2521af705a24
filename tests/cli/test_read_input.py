import numpy as np
import pytest
from PIL import Image

from tvm_patdnn.cli.read_input import Normalisation, read_input
from tvm_patdnn.errors import LibraryError
from tvm_patdnn.tensor_spec import TensorSpec

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 4, 3), np.uint8)


@pytest.fixture
def png(tmp_path):
    path = tmp_path / "image.png"
    Image.fromarray(PIXELS).save(path)
    return path


def read(path, shape, dtype="float32", **normalisation):
    return read_input(path, "x", TensorSpec(tuple(shape), dtype), Normalisation(**normalisation))


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((1, 3, 6, 4), PIXELS.transpose(2, 0, 1)[None] / 255),
        ((3, 6, 4), PIXELS.transpose(2, 0, 1) / 255),
        ((1, 6, 4, 3), PIXELS[None] / 255),
        ((6, 4, 3), PIXELS / 255),
    ],
)
def test_the_order_of_dimensions_is_that_of_the_input(png, shape, expected):
    values = read(png, shape)
    assert values.dtype == np.float32
    assert values.shape == shape
    assert np.abs(values - expected).max() < 1e-6


def test_is_resized_to_height_and_width(png):
    values = read(png, (1, 3, 12, 20))
    assert values.shape == (1, 3, 12, 20)
    assert values.mean() == pytest.approx(PIXELS.mean() / 255, abs=0.05)


@pytest.mark.parametrize("shape", [(1, 1, 6, 4), (1, 6, 4, 1)])
def test_one_channel_is_grey(png, shape):
    grey = np.asarray(Image.fromarray(PIXELS).convert("L")) / 255
    assert np.abs(read(png, shape).reshape(6, 4) - grey).max() < 1e-6


def test_transparent_and_grey_images_become_colours(tmp_path):
    for mode in ("RGBA", "L", "P", "1"):
        path = tmp_path / f"{mode}.png"
        Image.new(mode, (4, 6), 1).save(path)
        assert read(path, (1, 3, 6, 4)).shape == (1, 3, 6, 4)


@pytest.mark.parametrize("name", ["x.png", "x.tiff", "x.pgm"])
@pytest.mark.parametrize("channels", [1, 3])
def test_images_of_16_bits_are_scaled(tmp_path, name, channels):
    pixels = np.random.default_rng(0).integers(0, 1 << 16, (6, 4), np.uint16)
    Image.fromarray(pixels).save(tmp_path / name)
    values = read(tmp_path / name, (channels, 6, 4))
    assert values.shape == (channels, 6, 4)
    assert np.abs(values - pixels / 65535).max() < 1e-6
    resized = read(tmp_path / name, (channels, 12, 8))
    assert resized.mean() == pytest.approx(pixels.mean() / 65535, abs=0.05)


@pytest.mark.parametrize("dtype", ["int32", "float32"])
def test_images_of_unknown_range_are_declined(tmp_path, dtype):
    Image.fromarray(np.full((6, 4), 70000, dtype)).save(tmp_path / "x.tiff")
    with pytest.raises(LibraryError, match="x.tiff: is an image of 32-bit numbers .mode .., whose"):
        read(tmp_path / "x.tiff", (1, 6, 4))


def test_normalisation(png):
    values = read(png, (6, 4, 3), scale=1, mean=(1, 2, 3), std=(2,))
    assert np.abs(values - (PIXELS - np.array([1.0, 2, 3])) / 2).max() < 1e-5


def test_arrays_are_taken_as_they_are(tmp_path):
    array = np.arange(6, dtype="int64").reshape(2, 3)
    np.save(tmp_path / "x.npy", array)
    found = read(tmp_path / "x.npy", (7,), scale=9)
    assert found.dtype == np.int64
    assert (found == array).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"std": (1, 0, 1)},
            r"std=\[1, 0, 1\]: values are divided by it; expected numbers other than 0",
        ),
        ({"mean": (1, 2)}, r"mean=\[1, 2\]: has 2 numbers, but the input has 3 channels; give one"),
        ({"std": (1, 2)}, r"std=\[1, 2\]: has 2 numbers, but the input has 3 channels"),
    ],
)
def test_wrong_normalisation(png, options, message):
    with pytest.raises(LibraryError, match=message):
        read(png, (1, 3, 6, 4), **options)


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        ((1, 10), "float32"),
        ((1, 4, 6, 4), "float32"),
        ((2, 3, 6, 4), "float32"),
        ((1, 3, 6, 4), "int64"),
        ((1, 1, 3, 6, 4), "float32"),
    ],
)
def test_inputs_that_are_no_image(png, shape, dtype):
    with pytest.raises(
        LibraryError,
        match=rf"image.png: input 'x' is {dtype} of shape .*, which one image does not fill; .*npy",
    ):
        read(png, shape, dtype)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("x.npy", b"nonsense", r"x.npy: is not a .npy file of numbers \(.*\); write it with numpy"),
        ("x.npy", b"", "x.npy: is not a .npy file of numbers"),
        ("x.png", b"nonsense", "x.png: is neither a .npy file nor an image that Pillow can read"),
        ("x.npz", b"PK\x03\x04", "x.npz: is neither a .npy file nor an image"),
        ("x.png", None, "x.png: cannot be read: No such file or directory"),
        ("x.npy", None, "x.npy: cannot be read: No such file or directory"),
    ],
)
def test_unreadable_files(tmp_path, name, data, message):
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(LibraryError, match=message):
        read(path, (1, 3, 6, 4))


def test_truncated_images_and_pickles(png, tmp_path):
    png.write_bytes(png.read_bytes()[:-30])
    with pytest.raises(LibraryError, match="image.png: cannot be read: "):
        read(png, (1, 3, 6, 4))
    np.save(tmp_path / "objects.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(LibraryError, match="objects.npy: is not a .npy file of numbers"):
        read(tmp_path / "objects.npy", (1,))


SHAPES = ["(274877906944,)", "(1099511627776, 1024)", "(4611686018427387904, 4)", "(-1,)", "(2,)"]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_header_that_claims_more_than_the_file_holds(tmp_path, shape):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    data = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()
    (tmp_path / "x.npy").write_bytes(data + bytes(4))
    with pytest.raises(LibraryError, match="x.npy: is not a .npy file of numbers"):
        read(tmp_path / "x.npy", (1,))


def test_archives_under_the_name_of_an_array(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.ones(3))
    (tmp_path / "x.npz").rename(tmp_path / "x.npy")
    with pytest.raises(LibraryError, match="x.npy: is not a .npy file of numbers"):
        read(tmp_path / "x.npy", (3,))


@pytest.mark.parametrize("array", [np.zeros((0, 3)), np.array(7), np.asfortranarray(np.eye(3))])
def test_arrays_of_any_shape_are_read(tmp_path, array):
    np.save(tmp_path / "x.npy", array)
    found = read(tmp_path / "x.npy", array.shape)
    assert found.shape == array.shape
    np.testing.assert_array_equal(found, array)


def test_the_middle_is_cut_out_as_in_training(tmp_path):
    torch = pytest.importorskip("torch")
    from tvm_patdnn.training.data.file_images import TEST_SHARE, FileImages

    pixels = np.random.default_rng(0).integers(0, 256, (50, 70, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "x.png")
    expected = FileImages([tmp_path / "x.png"], [0], 32).batch(torch.tensor([0])).numpy() / 255
    found = read(tmp_path / "x.png", (1, 3, 32, 32), crop=TEST_SHARE)
    assert np.abs(found - expected).max() < 1e-6
    assert np.abs(read(tmp_path / "x.png", (1, 3, 32, 32)) - expected).max() > 0.1


@pytest.mark.parametrize("crop", [0, 1.5])
def test_a_share_that_is_none(png, crop):
    with pytest.raises(LibraryError, match=f"crop={crop}: expected a share of 0 to 1"):
        read(png, (1, 3, 6, 4), crop=crop)
