import zlib

import numpy as np

from tvm_patdnn.standalone.pack_weights import pack_weights

A = np.arange(5, dtype=np.float32)
B = np.array([[1, 2], [3, 4]], np.uint16)


def test_each_constant_is_at_its_offset_aligned_and_once(tmp_path):
    path = tmp_path / "weights.bin"
    packed = pack_weights([A, B, A.copy(), B.T], "größe", path)
    data = path.read_bytes()
    assert len(packed.offsets) == 4
    assert packed.offsets[0] == packed.offsets[2]
    assert all(offset % 64 == 0 for offset in packed.offsets)
    for array, offset in zip([A, B, A, B.T], packed.offsets, strict=True):
        assert data[offset : offset + array.nbytes] == array.tobytes()
    assert (packed.bytes, packed.crc) == (len(data), zlib.crc32(data))
    assert len(data) == 4 * 64  # two arrays, one of them turned, and the text


def test_the_text_ends_with_a_zero(tmp_path):
    path = tmp_path / "weights.bin"
    packed = pack_weights([A], "größe", path)
    assert path.read_bytes()[packed.text :].split(b"\0")[0].decode() == "größe"


def test_types_of_all_sizes_and_no_values_at_all(tmp_path):
    arrays = [
        np.array(True),
        np.array([1, -2], np.int8),
        np.array(7, np.int64),
        np.zeros((0, 3), np.float16),
    ]
    path = tmp_path / "weights.bin"
    packed = pack_weights(arrays, "", path)
    data = path.read_bytes()
    for array, offset in zip(arrays, packed.offsets, strict=True):
        assert data[offset : offset + array.nbytes] == array.tobytes()
