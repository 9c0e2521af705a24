import numpy as np
import pytest

from tvm_patdnn.sparse.fkw import FKW
from tvm_patdnn.sparse.packed_kernels import PackedKernels
from tvm_patdnn.sparse.patterns import Pattern

POINT, LINE = Pattern.from_picture("#./.."), Pattern.from_picture("##/..")


def by_hand() -> FKW:
    """Filters 2, 0 and 1 in groups of two, the last repeated; two bands of two channels."""
    return FKW(
        filters=3,
        channels=4,
        patterns=(POINT, LINE),
        group=2,
        bands=2,
        reorder=np.array([2, 0, 1, 1], np.uint16),
        offset=np.array([0, 2, 2, 3, 4], np.int32),
        weight_offset=np.array([0, 6, 6, 10, 12], np.int32),
        stride=np.array([[0, 1, 2], [0, 0, 0], [0, 0, 1], [0, 1, 1]], np.uint16),
        index=np.array([1, 0, 3, 2], np.uint16),
        weight=np.arange(1, 13, dtype=np.float32),
    )


def test_sizes_follow_from_the_arrays():
    packed = by_hand()
    assert (packed.groups, packed.runs) == (2, 2)
    assert packed.structure_bytes == 4 * 2 + 5 * 4 + 5 * 4 + 12 * 2 + 4 * 2
    assert packed.total_bytes == packed.structure_bytes + 12 * 4


def test_each_slot_is_read_back_to_its_filters_and_channels():
    expected = np.zeros((3, 4, 2, 2), np.float32)
    expected[2, 1, 0, 0], expected[0, 1, 0, 0] = 1, 2  # a point of the first band
    expected[2, 0, 0], expected[0, 0, 0] = [3, 5], [4, 6]  # a line: tap by tap, both filters
    expected[2, 3, 0], expected[0, 3, 0] = [7, 9], [8, 10]
    expected[1, 2, 0, 0] = 12  # stored for the filter and for its repetition
    assert np.array_equal(by_hand().unpack(), expected)


@pytest.mark.parametrize(("chunks", "cuts"), [(1, [0, 2]), (2, [0, 1, 2])])
def test_chunks_are_balanced_over_all_bands(chunks, cuts):
    assert by_hand().balanced_chunks(chunks).tolist() == cuts


def test_a_format_says_how_kernels_are_ordered():
    with pytest.raises(TypeError, match="abstract"):
        PackedKernels()
