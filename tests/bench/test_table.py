from tests.bench.samples import layer_row, row
from tvm_patdnn.bench.layer_table import layers_finding
from tvm_patdnn.bench.rows import Status
from tvm_patdnn.bench.table import (
    by_speed,
    cells,
    columns_text,
    finding,
    share_cells,
)
from tvm_patdnn.bench.views import result_text


def _others() -> list:
    return [
        row("onnxruntime", median_s=0.002, ratio=0.5),
        row("tvm-dense", median_s=0.012, ratio=3.0),
        row("openvino", status=Status.WRONG, message="differs", ratio=0.1, median_s=0.001),
        row("ncnn", status=Status.MISSING, message="not installed", median_s=None, ratio=None),
    ]


def test_the_fastest_comes_first_and_what_does_not_count_last():
    names = [each.system for each in by_speed([*_others(), row()])]
    assert names[:3] == ["onnxruntime", "tvm-patdnn", "tvm-dense"]
    assert set(names[3:]) == {"openvino", "ncnn"}


def test_the_finding_says_where_we_are_slower():
    said = finding([row(), *_others()])
    assert said == (
        "net, 2 threads: tvm-patdnn takes 4 ms; 3.00x as fast as tvm-dense, "
        "2.00x slower than onnxruntime"
    )


def test_without_our_time_there_is_no_finding():
    assert finding(_others()) == "net, 2 threads: tvm-patdnn was not measured"
    assert finding([row(threads=1)]) == "net, 1 thread: tvm-patdnn takes 4 ms"


def test_cells_of_a_measured_row():
    assert cells(row(facts={"variant": "inductor"})) == (
        "tvm-patdnn", "4", "3 .. 6", "1.00", "3e-07", "90", "1.5", "12.3", "inductor"
    )  # fmt: skip


def test_a_time_that_does_not_count_has_no_ratio():
    wrong, missing = (cells(each) for each in _others()[2:])
    assert (wrong[1], wrong[3], wrong[-1]) == ("1", "", "wrong: differs")
    assert (missing[1:4], missing[-1]) == (("", "", ""), "missing: not installed")


def test_our_layers_stand_under_the_peak():
    assert share_cells([layer_row()]) == [
        ("conv1", "pattern", "2.000", "50.0", "61 %"),
        ("peak of this machine", "", "", "82.0", "100 %"),
    ]
    assert share_cells([row()]) == []


def test_layers_have_a_column_for_each_system():
    text = result_text(
        [
            row(layer="conv1", facts=layer_row().facts),
            row("tvm-dense", layer="conv1", median_s=0.012, ratio=3.0),
            row(layer="conv2"),
            row("tvm-dense", layer="conv2", status=Status.FAILED, median_s=None),
        ]
    )
    said, _, head, first, second = text.splitlines()
    assert said == (
        "net by layer, 2 threads: tvm-patdnn is the fastest on 2 of 2 layers; "
        "3.00x as fast as tvm-dense in the median"
    )
    assert head.split() == [
        "layer,",
        "ms",
        "tvm-patdnn",
        "tvm-dense",
        "our",
        "kernel:",
        "of",
        "peak",
    ]
    assert first.split() == ["conv1", "4.000", "12.000", "(3.0x)", "61", "%"]
    assert second.split() == ["conv2", "4.000", "failed"]


def test_models_follow_each_other():
    text = result_text([row(), row(model="other")])
    assert text.index("net, 2 threads") < text.index("other, 2 threads")


def test_columns_are_aligned():
    assert columns_text([("a", "b", "c"), ("long", "1000", "")]) == "a        b  c\nlong  1000"


def test_where_another_is_faster_on_a_layer_it_is_not_ours():
    rows = [row(layer="a"), row("ncnn", layer="a", median_s=0.001, ratio=0.25), row(layer="b")]
    assert layers_finding(rows).endswith("tvm-patdnn is the fastest on 1 of 2 layers")
