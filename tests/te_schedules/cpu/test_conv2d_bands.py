import itertools

import numpy as np
import pytest

from te_schedules.cpu.conv2d_bands import band_of
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule, Hold
from te_schedules.epilogue import Step
from tests.te_schedules.cpu.lane_kernels import (
    ConvCase,
    assert_stored,
    bound_kernel,
    pattern_weight,
    random_array,
)

BANDED = {
    "1x1": {"weight": pattern_weight(5, 7, ["#"]), "padding": (0, 0, 0, 0)},
    "patterns": {"weight": pattern_weight(5, 7)},
    "empty bands": {"weight": pattern_weight(5, 7, density=0.1)},
    "no kernel": {"weight": 0 * pattern_weight(5, 7)},
    "batch, stride": {"weight": pattern_weight(5, 7), "batch": 2, "stride": (2, 2)},
    "bias": {
        "weight": pattern_weight(5, 7),
        "steps": (Step("add_number", numbers=(1.5,)),),
    },
}


DIVISIONS = list(itertools.product([1, 3, 7, 100], [1, 2, 5]))  # channels of a band, chunks
SOME = [(1, 5), (3, 2), (7, 1), (100, 2)]  # each of them once
CASES = [
    pytest.param(
        name,
        *division,
        marks=[] if name == "patterns" or division in SOME else [pytest.mark.long],
    )
    for name in BANDED
    for division in DIVISIONS
]


@pytest.mark.parametrize(("name", "band", "chunks"), CASES)
def test_bands_of_channels(name, band, chunks):
    schedule = Conv2dSchedule(rows=2, vectors=1, band=band, chunks=chunks)
    case = ConvCase(**BANDED[name], schedule=schedule)
    assert case.fkw().bands == -(-7 // band)
    expected = case.reference() + (1.5 if case.steps else 0)
    assert_stored(case.run(), case.out_layout(), expected)


@pytest.mark.parametrize("hold", Hold)
def test_bands_of_dense_groups(hold):
    schedule = Conv2dSchedule(rows=1, vectors=2, group=2, hold=hold, band=3)
    ConvCase(weight=random_array(5, 7, 3, 3), dense=True, schedule=schedule).check()


def banded(band: int | None, chunks: int) -> ConvCase:
    schedule = Conv2dSchedule(rows=2, vectors=1, band=band, chunks=chunks)
    return ConvCase(weight=pattern_weight(5, 7), schedule=schedule)


def orders(band: int, chunks: int) -> list[list[int]]:
    """The bands of each chunk, in the order in which it takes them."""
    found: list[list[int]] = []

    def body(conv, output) -> None:
        bands = range(conv.fkw.bands)
        found.extend([[int(band_of(conv, c, done)) for done in bands] for c in range(chunks)])

    bound_kernel(banded(band, chunks), body, 1)
    return found


def test_each_chunk_begins_with_its_own_share_of_the_channels():
    assert orders(band=2, chunks=2) == [[0, 1, 2, 3], [2, 3, 0, 1]]
    assert orders(band=2, chunks=1) == [[0, 1, 2, 3]]


@pytest.mark.parametrize("chunks", [1, 2, 3, 5])
def test_each_chunk_takes_every_band_once(chunks):
    for order in orders(band=3, chunks=chunks):
        assert sorted(order) == [0, 1, 2]


@pytest.mark.parametrize(("band", "fetches"), [(None, False), (100, False), (3, True)])
def test_inputs_are_fetched_ahead_only_where_there_is_a_next_band(band, fetches):
    script = banded(band, 2).func().script()
    to_l2 = 'T.call_llvm_intrin("void", "llvm.prefetch", T.address_of(data'
    assert (to_l2 in script) == fetches


def test_sums_wait_in_memory_for_as_many_groups_as_a_chunk_has():
    case = banded(3, 2)
    sizes = []

    def body(conv, output) -> None:
        tile = conv.allocate()
        sizes.append(int(np.prod([int(extent) for extent in tile.memory.shape])))

    bound_kernel(case, body, 1)
    most = np.diff(case.fkw().balanced_chunks(2)).max()
    assert sizes == [most * 2 * case.lanes]  # a tile of 2 sums
