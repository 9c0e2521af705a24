"""Writes docs/operators.md: python -m tests.importing.operators_page."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import onnx

from tests.importing.node_tests import DECLINED, RIGHT, Verdict, modules, verdicts

__all__ = ["PAGE", "counts_on_page", "page"]

PAGE = Path(__file__).parents[2] / "docs" / "operators.md"

OURS = frozenset(
    {"Abs", "Add", "AveragePool", "Clip", "Concat", "Conv", "ConvTranspose", "DepthToSpace"}
    | {"DequantizeLinear", "Div", "QLinearConv", "QLinearMatMul", "QuantizeLinear"}
    | {"Exp", "Gemm", "GlobalAveragePool", "HardSigmoid", "HardSwish", "LeakyRelu", "MatMul", "Max"}
    | {"MaxPool", "Min", "Mul", "Neg", "PRelu", "Pow", "Relu", "Resize", "Sigmoid", "Sqrt", "Sub"}
    | {"Sum", "Tanh"}
)
_HEAD = """# Operators

What becomes of each ONNX operator, by the tests of single operators that come with the onnx
package {version}: {right:,} of {total:,} give the right numbers, {declined:,} are declined by an
error that names the node, and none does anything else. Weights, axes and sizes are constants in
them, as models have them. This page is written by `python -m tests.importing.operators_page`, and
`make test` compares it with what happens.

*Ours*: there is a kernel in lanes for the usual forms, or it is part of the epilogue of one;
others of its forms are TVM's. *TVM*: TVM's own operator, with a schedule of ours, some after a
rewrite. *Declined*: with the reason for the first such test.

| operator | kernels | right | why the rest is declined |
|---|---|---|---|
"""
_ROW = re.compile(
    r"^\| `(?P<name>[^`]+)` \| \S+ \| (?P<right>\d+) of (?P<total>\d+) \|", re.MULTILINE
)
_REASON_LENGTH = 110


def page(found: Sequence[Verdict]) -> str:
    """Returns the text of the page."""
    ends = [verdict.end for verdict in found]
    by_operator: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in found:
        by_operator[verdict.operator].append(verdict)
    head = _HEAD.format(
        version=onnx.__version__,
        right=ends.count(RIGHT),
        total=len(ends),
        declined=ends.count(DECLINED),
    )
    return head + "".join(_row(name, by_operator[name]) for name in sorted(by_operator))


def counts_on_page(text: str) -> dict[str, tuple[int, int]]:
    """Returns how many tests of each operator are right, of how many."""
    return {row["name"]: (int(row["right"]), int(row["total"])) for row in _ROW.finditer(text)}


def _row(name: str, found: Sequence[Verdict]) -> str:
    right = sum(verdict.end == RIGHT for verdict in found)
    kernels = "declined" if not right else "ours" if name in OURS else "TVM"
    reason = next((_reason(v) for v in found if v.end != RIGHT), "")
    return f"| `{name}` | {kernels} | {right} of {len(found)} | {reason} |\n"


def _reason(verdict: Verdict) -> str:
    """Shortens a message to its reason: without the node, and what to do."""
    said = " ".join(verdict.said.split()).replace("|", "/")
    said = re.sub(r"^.*? \(\w+\): |^operators that TVM cannot import: .*", "", said)
    return (said or "TVM's importer does not have it").split("; ")[0][:_REASON_LENGTH]


def main() -> None:
    """Runs all tests of operators and writes the page."""
    with ProcessPoolExecutor() as pool:
        found = [verdict for part in pool.map(verdicts, modules()) for verdict in part]
    PAGE.write_text(page(found))


if __name__ == "__main__":
    main()
