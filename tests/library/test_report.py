from tvm_patdnn.layer_report import LayerReport
from tvm_patdnn.library.report import Report

CONV = {
    "name": "conv2",
    "in_shape": [1, 8, 16, 16],
    "out_shape": [1, 8, 16, 16],
    "kernel_shape": [3, 3],
    "stride": [1, 1],
    "groups": 1,
    "patterns": ["##./##./..."],
    "pattern_counts": [32],
    "kept_kernels": 32,
    "kernels": 64,
    "compression": 4.5,
    "dense_macs": 4_500_000,
    "kept_macs": 1_000_000,
    "kernel": "pattern",
    "reason": "it is faster",
    "schedule": {"rows": 4},
    "bytes": 2048,
    "joined": False,
    "input_loads": 300,
    "products": 600,
    "structure_bytes": 1024,
    "dense_bytes": 2304,
    "csr_bytes": 1060,
}
EMPTY = {**CONV, "name": "c", "compression": None, "kept_macs": 0, "reason": "zeros", "bytes": 0}


def test_is_a_sequence_of_layers():
    report = Report([LayerReport(**CONV), LayerReport(**EMPTY)])
    assert len(report) == 2
    assert report[0] == LayerReport(**CONV)
    assert [layer.name for layer in report] == ["conv2", "c"]


def test_prints_as_a_table_with_a_sum():
    lines = str(Report([LayerReport(**CONV), LayerReport(**EMPTY)])).splitlines()
    assert lines == [
        "layer  output   kernel  compression  computed as  KiB  why",
        "conv2  8x16x16  3x3/1   4.5x         pattern      2    it is faster",
        "c      8x16x16  3x3/1   all zero     pattern      0    zeros",
        "total                   9.0x                      2    9 MMAC dense, 1 kept; "
        "4 KiB dense, 2 as CSR",
    ]


def test_all_zero():
    assert str(Report([LayerReport(**EMPTY)])).splitlines()[-1].split() == [
        *("total", "all", "zero", "0"),
        *("4", "MMAC", "dense,", "0", "kept;", "2", "KiB", "dense,", "1", "as", "CSR"),
    ]
