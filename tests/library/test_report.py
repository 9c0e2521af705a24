from tests.layer_reports import layer_report
from tvm_patdnn.library.report import Report

CONV = layer_report()
EMPTY = layer_report(name="c", compression=None, kept_macs=0, reason="zeros", bytes=0)


def test_is_a_sequence_of_layers():
    report = Report([CONV, EMPTY])
    assert len(report) == 2
    assert report[0] == CONV
    assert [layer.name for layer in report] == ["conv2", "c"]


def test_prints_as_a_table_with_a_sum():
    lines = str(Report([CONV, EMPTY])).splitlines()
    assert lines == [
        "layer  output   kernel  compression  computed as  KiB  why",
        "conv2  8x16x16  3x3/1   4.5x         pattern      2    it is faster",
        "c      8x16x16  3x3/1   all zero     pattern      0    zeros",
        "total                   9.0x                      2    9 MMAC dense, 1 kept; "
        "4 KiB dense, 2 as CSR",
    ]


def test_all_zero():
    assert str(Report([EMPTY])).splitlines()[-1].split() == [
        *("total", "all", "zero", "0"),
        *("4", "MMAC", "dense,", "0", "kept;", "2", "KiB", "dense,", "1", "as", "CSR"),
    ]


def test_nothing_of_ours_is_said_loudly():
    text = str(Report(()))
    assert text.startswith("WARNING: no convolution of our kernels is reported")
    assert "best exported as float32" in text


def test_integers_are_said():
    text = str(Report([layer_report(dtype="int8")]))
    assert "pattern, int8" in text
