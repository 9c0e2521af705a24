import pytest

from tests.bench.samples import row
from tvm_patdnn.bench.rows import Status
from tvm_patdnn.bench.sweep_view import break_even, finding, tables, title


def _sweep(ratios: dict[float, float], series: str = "compression") -> list:
    """Ours takes 4 ms at every value, tvm-dense as many times as long."""
    rows = []
    for value, ratio in ratios.items():
        rows.append(row(series=series, value=value))
        rows.append(
            row("tvm-dense", series=series, value=value, median_s=0.004 * ratio, ratio=ratio)
        )
    return rows


def test_the_break_even_lies_between_the_points_around_one():
    assert break_even(_sweep({2.0: 0.5, 8.0: 2.0})) == pytest.approx(4.0)
    assert break_even(_sweep({2.0: 1.0, 8.0: 2.0})) is None
    assert break_even(_sweep({2.0: 0.5, 8.0: 0.9})) is None
    assert break_even([]) is None


def test_of_several_crossings_the_last_counts():
    even = break_even(_sweep({1.0: 0.5, 2.0: 2.0, 4.0: 0.5, 16.0: 2.0}))
    assert even == pytest.approx(8.0)


@pytest.mark.parametrize(
    ("ratios", "said"),
    [
        ({2.0: 0.5, 8.0: 2.0}, "break-even with tvm-dense at 4x; 2.00x as fast as tvm-dense at 8"),
        ({2.25: 1.5, 8.0: 2.0}, "break-even with tvm-dense below 2.25x; 2.00x as fast"),
        ({2.25: 0.5, 8.0: 0.8}, "no break-even with tvm-dense up to 8x; 1.25x slower than"),
    ],
)
def test_the_break_even_is_stated(ratios, said):
    assert said in finding(_sweep(ratios))


def test_other_sweeps_tell_both_ends():
    assert finding(_sweep({64: 2.0, 448: 3.0}, "image-size")) == (
        "net by image-size, 2 threads: tvm-patdnn takes 4 ms at 64 and 4 ms at 448; "
        "3.00x as fast as tvm-dense at 448"
    )
    assert finding([row("tvm-dense", series="patterns", value=4)]).endswith("was not measured")


def test_the_threads_of_a_sweep_of_threads_are_its_values():
    assert title(_sweep({1: 2.0}, "threads")) == "net by threads"


def test_the_table_has_a_row_for_each_value():
    rows = [
        *_sweep({2.25: 1.5, 18: 6.0}),
        row("ncnn", series="compression", value=18, status=Status.MISSING, median_s=None),
    ]
    assert tables(rows) == [
        [
            ("compression, ms", "tvm-patdnn", "tvm-dense", "ncnn", "our kernel: of peak"),
            ("2.25", "4", "6 (1.50x)", "", ""),
            ("18", "4", "24 (6.00x)", "missing", ""),
        ]
    ]
