"""What was measured of networks in int8: rows, and the page of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tvm_patdnn.row_file import append_lines
from tvm_patdnn.whole_file import write_whole

__all__ = ["Int8Row", "append_row", "int8_page", "read_rows", "write_page"]

_INTRODUCTION = """\
# Accuracy of networks in int8

Written by `python -m models.int8_accuracy --data DATA` from the rows that it measured ({rows}); do
not edit. DATA is CIFAR-10 in any form that `tvm-patdnn train --data` takes; top-1 is on all of its
test images.

Each network is quantised after training, as `tvm-patdnn quantize` does, and not trained on. "int8"
is our build of the quantised file; "as the file says" is ONNX Runtime with its optimisations off,
which computes the file's own steps; "ONNX Runtime's int8" is ONNX Runtime as it comes. Its kernels
for CPUs without dot products of bytes saturate, which costs accuracy there.
"""


@dataclass(frozen=True, kw_only=True)
class Int8Row:
    """One network, quantised in one way.

    Attributes:
        network, calibration, data, unit: see ``Subject``.
        float32: how good ONNX Runtime's run of the float file is, in ``unit``.
        int8: the same of our build of the quantised file.
        exact: of the quantised file in ONNX Runtime without optimisations.
        onnxruntime: of the quantised file in ONNX Runtime as it comes.
        layers, int8_layers: convolutions, and those computed in int8.
        cpu: with its number of cores, and what LLVM calls it.
        versions: of what computed.
        date: in ISO 8601.
    """

    network: str
    calibration: str
    unit: str
    data: str
    float32: float
    int8: float
    exact: float
    onnxruntime: float
    layers: int
    int8_layers: int
    cpu: str
    versions: str
    date: str


def append_row(row: Int8Row, path: Path) -> None:
    """Adds a row to a file of rows."""
    append_lines(path, [json.dumps(asdict(row))])


def read_rows(path: Path) -> list[Int8Row]:
    """Reads the rows; of a network quantised in one way several times the last."""
    lines = path.read_text().splitlines()
    rows = [Int8Row(**json.loads(line)) for line in lines]
    return list({(row.network, row.calibration): row for row in rows}.values())


def write_page(rows: Sequence[Int8Row], page: Path, source: str) -> None:
    """Writes the page of ``rows``, which are in the file ``source`` beside it."""
    with write_whole(page) as partial:
        partial.write_text(int8_page(rows, source))


def int8_page(rows: Sequence[Int8Row], source: str) -> str:
    """Returns the page in Markdown."""
    versions = sorted({row.versions for row in rows})
    days = sorted(row.date[:10] for row in rows)
    header = (
        "| network | quantised by | judged by | unit | float32 | int8 | difference | "
        "as the file says | ONNX Runtime's int8 | convolutions in int8 | CPU |",
        "|---|---|---|---|--:|--:|--:|--:|--:|--:|---|",
    )
    measured = f"Measured with {'; '.join(versions)}, {days[0]} to {days[-1]}."
    introduction = _INTRODUCTION.format(rows=f"[{source}]({source})")
    return "\n".join([introduction, *header, *map(_line, rows), "", measured, ""])


def _line(row: Int8Row) -> str:
    cells = (
        *(row.network, row.calibration, row.data, row.unit),
        *(f"{row.float32:.2f}", f"{row.int8:.2f}", f"{row.int8 - row.float32:+.2f}"),
        *(f"{row.exact:.2f}", f"{row.onnxruntime:.2f}", f"{row.int8_layers} of {row.layers}"),
        row.cpu,
    )
    return f"| {' | '.join(cells)} |"
