import json
import math
from pathlib import Path

from tvm_patdnn.bench.gpu.measured_page import measured_page

DOCS = Path(__file__).parents[3] / "docs"
MACHINE = {"gpu": "H100", "torch": "2", "cudnn": 9}


def row(system: str, us: float, model: float = 0.0, **more: object) -> dict:
    layer = {"layer": "L9", "shape": "512->512@14", "batch": 1, "storage": "float32"}
    return {**MACHINE, **layer, "system": system, "us": us, "model": model, **more}


ROWS = [
    row("torch fp32", 100.0, order="contiguous_format"),
    row("torch fp32", 90.0, order="channels_last"),
    row("torch tf32", 30.0),
    row("torch fp16", 20.0, storage="float16"),
    row("ours, blocks of 4", 12.0, model=10.0),
    row("ours, blocks of 4", 9.0, model=11.0),
    row("ours, blocks of 4", 1.0, model=1.0, storage="float16", error_of_norm=2e-4),
    row("ours, free", 30.0, model=20.0),
    {**row("ours, free", 0.0), "us": None} | {"error": "x"},
]


def test_a_layer_has_the_faster_order_and_the_schedule_that_is_chosen():
    page = measured_page([{k: v for k, v in each.items() if v is not None} for each in ROWS])
    assert "GPU: H100; torch 2, cuDNN 9." in page
    (line,) = [line for line in page.splitlines() if line.startswith("| L9")]
    assert line == (
        "| L9 512->512@14 | 90.0 | 30.0 | 20.0 | 12.0 | 9.0 | 7.5 | 30.0 | 30.0 | 3.0 |"
    )
    assert "Geometric means of fp32 / chosen: 7.5 for blocks of 4, 3.0 for free." in page
    assert (
        "blocks of 4 take 0.11 to 0.11 of that time; the error is up to 2e-04 of the norm" in page
    )


def test_our_own_dense_kernels_are_told_where_they_were_raced():
    assert "Our own dense kernels" not in measured_page(ROWS[:-1])
    page = measured_page([*ROWS[:-1], row("ours, dense", 45.0, model=40.0)])
    said = "Our own dense kernels take 0.50 to 0.50 of torch's fp32 time, 0.50 in the geometric"
    assert said in page


def test_batches_have_sections_of_their_own():
    both = [*ROWS[:-1], *({**each, "batch": 8} for each in ROWS[:-1])]
    page = measured_page(both)
    assert page.index("## Layers, batch 1\n") < page.index("## Layers, batch 8\n")


def rows_of(what: str) -> list[dict]:
    lines = (DOCS / "benchmarks" / f"gpu-h100-{what}.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_the_page_in_docs_is_made_of_the_rows_beside_it():
    found, networks = rows_of("layers"), rows_of("networks")
    assert (DOCS / "gpu-speed.md").read_text() == measured_page(found, networks)
    assert all(row["right"] for row in found if row["system"].startswith("ours"))


def test_no_pruned_layer_is_slower_than_cudnn_in_fp32():
    """At batch 1, and on average more than twice as fast."""
    page = (DOCS / "gpu-speed.md").read_text().split("## Layers, batch 1\n")[1].split("\n## ")[0]
    ratios = [float(line.split("|")[7]) for line in page.splitlines() if line.startswith("| L")]
    assert len(ratios) == 8
    assert min(ratios) > 1
    assert math.prod(ratios) ** (1 / 8) >= 2
