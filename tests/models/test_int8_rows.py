from dataclasses import replace
from pathlib import Path

from models.int8_rows import Int8Row, append_row, int8_page, read_rows, write_page

DOCS = Path(__file__).parents[2] / "docs"
ROW = Int8Row(
    network="a net",
    calibration="128 training images",
    unit="top-1, %",
    data="made",
    float32=76.9,
    int8=76.8,
    exact=76.79,
    onnxruntime=75.5,
    layers=6,
    int8_layers=5,
    cpu="a CPU, 2 CPUs",
    versions="onnxruntime 1",
    date="2026-11-26T08:00:00+00:00",
)


def test_the_last_row_of_a_network_counts(tmp_path):
    rows = [ROW, replace(ROW, calibration="pictures"), replace(ROW, int8=70.0)]
    for row in rows:
        append_row(row, tmp_path / "rows.jsonl")
    assert read_rows(tmp_path / "rows.jsonl") == [rows[2], rows[1]]


def test_the_page(tmp_path):
    write_page([ROW], tmp_path / "int8.md", "int8.jsonl")
    text = (tmp_path / "int8.md").read_text()
    figures = "76.90 | 76.80 | -0.10 | 76.79 | 75.50 | 5 of 6"
    line = f"128 training images | made | top-1, % | {figures} | a CPU, 2 CPUs"
    assert f"| a net | {line} |" in text.splitlines()
    assert "[int8.jsonl](int8.jsonl)" in text
    assert text.endswith("Measured with onnxruntime 1, 2026-11-26 to 2026-11-26.\n")


def test_the_page_that_is_here_is_that_of_its_rows():
    rows = read_rows(DOCS / "accuracy-int8.jsonl")
    assert (DOCS / "accuracy-int8.md").read_text() == int8_page(rows, "accuracy-int8.jsonl")
    shipped = [row for row in rows if "pruned 8.1x" in row.network]
    assert len(shipped) == 2
    assert all(row.float32 - row.int8 < 0.3 for row in shipped)
