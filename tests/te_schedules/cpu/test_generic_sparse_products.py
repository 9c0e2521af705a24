import numpy as np
import pytest

from te_schedules.cpu.conv2d_schedule import Conv2dSchedule, Hold
from te_schedules.cpu.expected_loads import LoadCounts
from te_schedules.cpu.generic_sparse_products import TableProducts, tap_table
from tests.te_schedules.cpu.count_loads import count_loads
from tests.te_schedules.cpu.lane_kernels import ConvCase, pattern_weight
from tvm_patdnn.sparse.unordered_kernels import pack_single_taps, pack_unordered

W53 = pattern_weight(5, 3)

ORDERS = {"fkw": None, "channel": pack_unordered, "csr": pack_single_taps}

WEIGHTS = {
    "no kernel": 0 * W53,
    "empty filters": W53 * np.array([1, 0, 1, 0, 1], np.float32).reshape(5, 1, 1, 1),
    "patterns of 1 to 9 entries": pattern_weight(
        9, 4, ["#../.../...", "#.#/.../...", "###/#../...", "###/###/###", "#.#/.#./#.#"]
    ),
}


def case(order: str, weight: np.ndarray = W53, **options) -> ConvCase:
    options.setdefault("schedule", Conv2dSchedule(rows=2, vectors=2, chunks=2))
    return ConvCase(weight=weight, products=TableProducts(), pack=ORDERS[order], **options)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"stride": (2, 2), "size": (12, 15)},
        {"dilation": (2, 2), "padding": (2, 2, 2, 2)},
        {"schedule": Conv2dSchedule(rows=2, vectors=1, band=2)},
        {"schedule": Conv2dSchedule(rows=2, vectors=2, hold=Hold.INPUTS)},
    ],
    ids=["plain", "stride 2", "dilation", "bands of channels", "inputs to be held"],
)
def test_taps_from_a_table(options, order):
    case(order, **options).check()


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", WEIGHTS)
def test_awkward_weights(name, order):
    case(order, WEIGHTS[name], schedule=Conv2dSchedule(rows=1, vectors=2)).check()


def test_it_is_for_one_filter_at_a_time():
    grouped = case(
        "fkw", np.repeat(W53, 2, axis=0), schedule=Conv2dSchedule(rows=1, vectors=1, group=2)
    )
    with pytest.raises(ValueError, match=r"group=2: .* one filter at a time; expected group=1"):
        grouped.kernel()


@pytest.mark.parametrize("band", [None, 16])
def test_it_reads_planes_not_copies(band):
    copied = case("fkw", schedule=Conv2dSchedule(rows=1, vectors=1, copy_inputs=True, band=band))
    with pytest.raises(ValueError, match=r"copy_inputs=True: .*; expected copy_inputs=False"):
        copied.kernel()


def test_every_product_loads_its_input():
    square = pattern_weight(3, 2, ["##./##./..."], density=1.0)
    for order in ORDERS:
        each = case(order, square, size=(8, 16))
        counts = count_loads(each.func(), list(each.kernel().constants.values()))
        assert counts == LoadCounts(inputs=6 * 16 * 4, products=6 * 16 * 4)


def test_the_table_says_how_far_each_tap_is_from_the_first_row_and_column():
    wide = pattern_weight(2, 2, ["#../..#/...", ".../.../..#"], density=1.0)
    each = case("fkw", wide, dilation=(2, 3), padding=(2, 3, 2, 3))
    table = tap_table(each.geometry(), each.fkw())
    row, lanes = each.in_layout().row_vectors * 8, 8
    assert sorted(table.tolist()) == [[0, 2 * row + 6 * lanes], [4 * row + 6 * lanes, 0]]
    assert table.dtype == np.int32
