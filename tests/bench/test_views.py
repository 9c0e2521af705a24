from tests.bench.samples import row
from tvm_patdnn.bench.ladder import LADDER
from tvm_patdnn.bench.views import LADDERS, LAYERS, MODEL, SWEEP, groups, result_text


def test_rows_that_belong_together_are_shown_together():
    rows = [
        row(series="threads", value=1, threads=1),
        row(series="threads", value=2, threads=2),
        row(series="patterns", value=4),
        row("dense", layer="L1", series=LADDER),
        row(layer="conv1"),
        row(threads=1),
        row(),
        row("ncnn"),
    ]
    found = [(view, len(group)) for view, group in groups(rows)]
    assert found == [(MODEL, 1), (MODEL, 2), (LAYERS, 1), (LADDERS, 1), (SWEEP, 2), (SWEEP, 1)]


def test_the_baseline_is_judged_below_the_table():
    text = result_text([row(), row("tvm-dense", ratio=2.0), row("onnxruntime", ratio=4.0)])
    assert text.endswith("tvm-dense takes 0.50x the time of onnxruntime.")


def test_a_ladder_and_a_sweep_are_told_in_words_and_numbers():
    text = result_text([row("dense", series=LADDER), row(series="patterns", value=4)])
    assert text.index("The ladder on net") < text.index("net by patterns, 2 threads: tvm-patdnn")
    assert "patterns, ms  tvm-patdnn" in text
