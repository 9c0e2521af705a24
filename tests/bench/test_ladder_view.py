from tests.bench.samples import layer_row, row
from tvm_patdnn.bench.ladder import LADDER
from tvm_patdnn.bench.ladder_view import finding, speeds, tables, title
from tvm_patdnn.bench.rows import Status

_FACTS = layer_row().facts  # 61 % of the peak


def _ladder(layer: str | None = "L1", loads: bool = True) -> list:
    """Dense takes 8 ms, no-opt 16, the top 2."""
    times = {"dense": 8, "no-opt": 16, "+tune": 2}
    return [
        row(
            name,
            layer=layer,
            series=LADDER,
            median_s=ms / 1e3,
            ratio=ms / 2,
            facts=layer_row().facts | {"loads": ms * 1_000_000, "products": 2_500_000}
            if loads
            else {},
        )
        for name, ms in times.items()
    ]


def test_each_rung_is_compared_with_dense():
    assert finding(_ladder()) == (
        "The ladder on net, 2 threads: speed over dense: no-opt 0.5x, +tune 4x"
    )
    assert title(_ladder()) == "The ladder on net, 2 threads"


def test_of_several_layers_the_median_is_told():
    rows = [*_ladder("L1"), *_ladder("L2"), *_ladder("L3")]
    assert "in the median of 3 layers: no-opt 0.5x, +tune 4x" in finding(rows)


def test_without_measurements_it_says_so():
    rows = [row("dense", series=LADDER, median_s=None, status=Status.FAILED)]
    assert finding(rows).endswith("nothing was measured")


def test_without_ratios_the_medians_are_compared():
    rows = [
        row("dense", series=LADDER, median_s=0.006, ratio=None),
        row("csr", series=LADDER, median_s=0.012, ratio=None),
    ]
    assert speeds(rows[1:], rows) == {"net": 0.5}


def test_the_tables_show_times_and_loads():
    times, loads = tables(_ladder())
    assert times == [
        ("layer, ms", "dense", "no-opt", "+tune", "+tune: of peak"),
        ("L1", "8", "16 (0.5x)", "2 (4x)", "61 %"),
    ]
    assert loads == [
        ("layer, million vectors loaded / multiplied", "dense", "no-opt", "+tune", ""),
        ("L1", "8 / 2.5", "16 / 2.5", "2 / 2.5", ""),
    ]


def test_loads_that_were_not_counted_have_no_table():
    assert len(tables(_ladder(loads=False))) == 1


def test_what_failed_is_shown_and_not_compared():
    rows = [*_ladder(), row("csr", layer="L1", series=LADDER, status=Status.WRONG)]
    assert tables(rows)[0][1][-2] == "wrong"
    assert "csr" not in finding(rows)
