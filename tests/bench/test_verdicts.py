from tests.bench.samples import row
from tvm_patdnn.bench.rows import Status
from tvm_patdnn.bench.verdicts import baseline_text, slower_table, summary_table


def _rows() -> list:
    return [
        row(),
        row("tvm-dense", ratio=3.0),
        row("onnxruntime", ratio=2.5),
        row("ncnn", ratio=0.5, median_s=0.002),
        row("MNN", ratio=0.1, status=Status.WRONG),
    ]


def test_the_dense_baseline_is_judged_by_onnxruntime():
    assert baseline_text(_rows()) == "tvm-dense takes 1.20x the time of onnxruntime."
    assert baseline_text(_rows()[:2]) == ""


def test_of_layers_or_points_the_median_counts():
    rows = [
        row(name, value=value, series="patterns", ratio=ratio)
        for value, dense in ((4, 2.0), (6, 4.0), (8, 6.0))
        for name, ratio in (("tvm-dense", dense), ("onnxruntime", 2.0))
    ]
    assert baseline_text(rows) == "tvm-dense takes 2.00x the time of onnxruntime."


def test_the_summary_has_a_row_for_each_model():
    _, first, second = summary_table([_rows(), [row(model="other", threads=1)]])
    assert first == ("net", "2", "4", "3.00x", "2.50x", "ncnn 0.50x", "1.20")
    assert second == ("other", "1", "4", "", "", "", "")


def test_all_places_where_we_lose_are_listed():
    layers = [row(layer="conv1"), row("ncnn", layer="conv1", ratio=0.9)]
    points = [row("torch", series="patterns", value=4, ratio=0.25)]
    assert slower_table([_rows(), layers, points])[1:] == [
        ("net", "2", "ncnn 0.50x"),
        ("net conv1", "2", "ncnn 0.90x"),
        ("net (patterns 4)", "2", "torch 0.25x"),
    ]
    assert len(slower_table([[row(), row("torch", ratio=1.0)]])) == 1
