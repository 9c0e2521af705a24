"""Two layers and a small network, pruned against dense: the comparison of ``make bench-ci``.

It fails when an output is wrong, or when the pruned model is not as much faster than the dense
one as the file of floors asks for. The floors are far below what is usual, as machines that
run such jobs are noisy: they notice a lost optimisation, not a few per cent.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tvm_patdnn.bench.options import BenchOptions
from tvm_patdnn.bench.rows import Row, json_line
from tvm_patdnn.bench.sample_layers import SampleLayer
from tvm_patdnn.bench.session import choose_systems, compare, make_subjects, steps
from tvm_patdnn.bench.subject import Subject
from tvm_patdnn.bench.systems import OURS
from tvm_patdnn.errors import BenchError, PatDNNError
from tvm_patdnn.progress import PhaseBar

__all__ = ["failures", "main", "read_floors"]

_BASELINE = "tvm-dense"
_AGAINST = (_BASELINE, "onnxruntime")
_NAME = "bench-ci"
_LAYERS = (
    SampleLayer(in_c=64, out_c=64, side=56),
    SampleLayer(in_c=256, out_c=256, side=14),
)
_REPORT_FLOOR = 1.0


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the comparison, prints the table and what is wrong with it.

    Returns:
        0, or 1 where something is.
    """
    args = _parser().parse_args(argv)
    try:
        rows = _measure(args)
        floors = read_floors(args.floors)
        if args.report:
            floors = dict.fromkeys(floors, _REPORT_FLOOR)
        wrong = failures(rows, floors)
    except PatDNNError as error:
        wrong = [str(error)]
    for each in wrong:
        print(f"{_NAME}: {each}", file=sys.stderr)
    return 1 if wrong else 0


def read_floors(path: Path) -> dict[str, float]:
    """Reads the smallest ratio of dense to pruned that is accepted, by name.

    Raises:
        BenchError: the file cannot be read.
    """
    try:
        return {str(name): float(floor) for name, floor in json.loads(path.read_text()).items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise BenchError(
            f"{path}: is not a file of floors ({error}); expected JSON such as "
            '{"conv 64->64@56x56": 1.3}'
        ) from error


def failures(rows: Sequence[Row], floors: Mapping[str, float]) -> list[str]:
    """Says what is wrong: rows without a result that counts, and ratios under their floor."""
    found = [
        f"{row.layer}: {row.system} {row.status.value}: {row.message}"
        for row in rows
        if row.system in (OURS.name, _BASELINE) and not row.counts
    ]
    ratios = {row.layer: row.ratio for row in rows if row.system == _BASELINE and row.counts}
    for name, floor in floors.items():
        ratio = ratios.get(name)
        if name not in {row.layer for row in rows}:
            found.append(f"{name}: has a floor but was not measured; correct the file of floors")
        elif ratio is not None and ratio < floor:
            found.append(
                f"{name}: pruned is {ratio:.2f}x as fast as dense, expected at least {floor:g}x"
            )
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=_NAME, description=__doc__)
    parser.add_argument("--network", type=Path, required=True, help="a small pruned .onnx file")
    parser.add_argument("--floors", type=Path, required=True, help="JSON: ratio by name")
    parser.add_argument("--json", type=Path, help="write the rows here")
    parser.add_argument("--plot", type=Path, help="draw them here: .png or .svg")
    parser.add_argument(
        "--report",
        action="store_true",
        help="fail only for wrong outputs, or where pruned is slower than dense",
    )
    return parser


def _measure(args: argparse.Namespace) -> list[Row]:
    from tvm_patdnn.bench.plot import save_plot
    from tvm_patdnn.bench.views import result_text
    from tvm_patdnn.machine.cores import physical_cores

    subjects = [*map(_layer, _LAYERS), *_network(args.network)]
    systems = choose_systems(_AGAINST)
    options = BenchOptions.quick(threads=physical_cores(), repeats=40)
    rows: list[Row] = []
    with PhaseBar(steps(subjects, systems, options)) as progress:
        command = f"make {_NAME}"
        compare(subjects, systems, options, command=command, keep=rows.extend, progress=progress)
    print(result_text(rows))
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text("".join(f"{json_line(row)}\n" for row in rows))
    if args.plot:
        args.plot.parent.mkdir(parents=True, exist_ok=True)
        save_plot(rows, args.plot)
    return rows


def _network(path: Path) -> list[Subject]:
    return [
        Subject(model=_NAME, layer=subject.model, pruned=subject.pruned)
        for subject in make_subjects(path)
    ]


def _layer(layer: SampleLayer) -> Subject:
    """A convolution with random weights: 8 patterns of 4 entries, 3.6x connectivity."""
    return Subject(model=_NAME, layer=f"conv {layer}", pruned=layer.pruned(), dense=layer.dense())


if __name__ == "__main__":
    sys.exit(main())
