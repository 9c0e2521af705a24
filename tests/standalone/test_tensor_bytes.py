import pytest

from tvm_patdnn.standalone.tensor_bytes import aligned_bytes, tensor_bytes


@pytest.mark.parametrize(
    ("shape", "dtype", "size"),
    [
        ((2, 3), "float32", 24),
        ((), "int64", 8),
        ((5,), "bool", 5),
        ((4,), "float16", 8),
        ((2,), "float32x8", 64),
        ((0, 7), "int8", 0),
    ],
)
def test_sizes(shape, dtype, size):
    assert tensor_bytes(shape, dtype) == size


def test_rounded_to_what_kernels_need():
    assert [aligned_bytes(size) for size in (0, 1, 64, 65)] == [0, 64, 64, 128]
