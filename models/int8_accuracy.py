"""Measures what int8 costs the trained networks here, and writes docs/accuracy-int8.md.

``python -m models.int8_accuracy --data DATA``: each network is quantised after training, built,
and run on all test images, beside ONNX Runtime. Every row is kept as soon as it is measured.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from fnmatch import fnmatch
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

from models.int8_rows import Int8Row, append_row, read_rows, write_page
from models.int8_subjects import Subject, subjects
from tvm_patdnn.builder import build
from tvm_patdnn.machine.cpu_name import cpu_name
from tvm_patdnn.machine.host_cpu import host_cpu
from tvm_patdnn.quantizing import quantize_onnx
from tvm_patdnn.training.data import open_data

__all__ = ["main", "measured"]

_LEVELS = onnxruntime.GraphOptimizationLevel


def measured(subject: Subject) -> Int8Row:
    """Quantises a network and runs it in every way."""
    ((name,),) = [[value.name for value in subject.model.graph.input]]
    quantised = quantize_onnx(subject.model, ({name: array} for array in subject.arrays()))
    built = build(quantised)
    ways = {
        "float32": _session(subject.model, _LEVELS.ORT_ENABLE_ALL),
        "int8": lambda array: next(iter(built.run({name: array}).values())),
        "exact": _session(quantised, _LEVELS.ORT_DISABLE_ALL),
        "onnxruntime": _session(quantised, _LEVELS.ORT_ENABLE_ALL),
    }
    return Int8Row(
        network=subject.name,
        calibration=subject.calibration,
        unit=subject.unit,
        data=subject.data,
        **{name: round(subject.judge(run), 3) for name, run in ways.items()},
        layers=len(built.report),
        int8_layers=sum(layer.dtype == "int8" for layer in built.report),
        cpu=f"{cpu_name()}, {host_cpu()}",
        versions=", ".join(f"{each} {version(each)}" for each in ("onnxruntime", "apache-tvm")),
        date=datetime.now(timezone.utc).isoformat(timespec="seconds"),
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Measures the networks asked for, and writes the page of all rows."""
    parser = argparse.ArgumentParser(prog="python -m models.int8_accuracy", description=__doc__)
    add = parser.add_argument
    add("--data", metavar="DATA", type=Path, required=True, help="CIFAR-10, as `train` takes it")
    add("-o", "--output", metavar="PAGE.md", type=Path, default=Path("docs/accuracy-int8.md"))
    add("--only", metavar="TITLE", default="*", help="those whose titles, as shown, fit: '*wide*'")
    args = parser.parse_args(argv)
    rows, data = args.output.with_suffix(".jsonl"), open_data(args.data)
    for subject in subjects(data):
        title = f"{subject.name}, by {subject.calibration}"
        if fnmatch(title, args.only):
            print(title, file=sys.stderr, flush=True)
            append_row(measured(subject), rows)
    write_page(read_rows(rows), args.output, rows.name)
    return 0


def _session(model: onnx.ModelProto, level: object) -> Callable[[np.ndarray], np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level, options.intra_op_num_threads = level, 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    name = session.get_inputs()[0].name
    return lambda array: np.asarray(session.run(None, {name: array})[0])


if __name__ == "__main__":
    sys.exit(main())
