"""The int8 part of ``make demo``: the shipped classifier, quantised while you wait."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

from models.calibration import CALIBRATION, made_up_pictures
from models.int8_rows import Int8Row, read_rows
from models.race import Timer, onnxruntime_session, onnxruntime_timer, race
from tvm_patdnn.builder import build
from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.machine.targets import resolve_target
from tvm_patdnn.machine.threads import VARIABLE, use_all_cores
from tvm_patdnn.progress import BUILD_PHASES, PhaseBar
from tvm_patdnn.quantizing import quantize_onnx

__all__ = ["SHARE", "Int8Demo", "format_int8_demo", "run_int8_demo"]

SHARE = 0.95  # of the pictures that int8 and what the file says must give the same class
_PICTURES = 100  # others than those it is quantised by
_ROWS = Path(__file__).parents[1] / "docs/accuracy-int8.jsonl"
_NO_DOTS = ("avx2", "neon", "plain")


@dataclass(frozen=True, kw_only=True)
class Int8Demo:
    """What was measured.

    Attributes:
        layers, int8_layers: convolutions, and those that are computed in int8.
        latencies: median seconds of each contender.
        like_float32, like_file: share of the pictures to which the int8 build gives the class
            that the float network gives, and that the quantised file says.
        threads: of each contender.
        dots: the instructions that multiply bytes here.
        accuracy: as measured before, on test images; None where there is no such row.
    """

    layers: int
    int8_layers: int
    latencies: dict[str, float]
    like_float32: float
    like_file: float
    threads: int
    dots: str
    accuracy: Int8Row | None


def run_int8_demo(file: Path, *, rounds: int = 12) -> Int8Demo:
    """Quantises a classifier by made-up pictures, builds it, compares and measures.

    Args:
        file: an ONNX file in float32, whose metadata say how images are scaled.
        rounds: of the measurement.
    """
    use_all_cores()
    threads, model = int(os.environ[VARIABLE]), onnx.load(file)
    name = model.graph.input[0].name
    with PhaseBar(1 + 2 * BUILD_PHASES + rounds) as progress:
        progress("quantising")
        drawn = list(made_up_pictures(model, CALIBRATION + _PICTURES))
        quantised = quantize_onnx(model, ({name: each} for each in drawn[:CALIBRATION]))
        ours = build(quantised, progress=lambda p: progress(f"int8 build: {p}"))
        wide = build(model, progress=lambda p: progress(f"float32 build: {p}"))
        pictures = drawn[CALIBRATION:]
        inputs = {name: pictures[0]}
        sessions = {
            kind: onnxruntime_session(each.SerializeToString(), threads)
            for kind, each in (("int8", quantised), ("float32", model))
        }
        contenders: dict[str, Timer] = {
            "int8, pruned": lambda n: ours.runnable.time(inputs, n),
            "float32, pruned": lambda n: wide.runnable.time(inputs, n),
        }
        for kind, session in sessions.items():
            label = f"onnxruntime {onnxruntime.__version__}, {kind}"
            contenders[label] = onnxruntime_timer(session, inputs)
        latencies = race(contenders, rounds=rounds, progress=progress)
    classes = [int(np.argmax(next(iter(ours.run({name: p}).values())))) for p in pictures]
    return Int8Demo(
        layers=len(ours.report),
        int8_layers=sum(layer.dtype == "int8" for layer in ours.report),
        latencies=latencies,
        like_float32=_alike(classes, sessions["float32"], pictures),
        like_file=_alike(classes, _as_it_says(quantised), pictures),
        threads=threads,
        dots=CpuModel.from_target(resolve_target(None)).dots,
        accuracy=_known(),
    )


def format_int8_demo(demo: Int8Demo) -> str:
    """Returns the result for people."""
    slowest = demo.latencies["float32, pruned"]
    lines = [
        f"{demo.int8_layers} of {demo.layers} convolutions in int8, quantised by {CALIBRATION} "
        "made-up pictures",
        "",
        f"{'':28}    latency   float32 / this",
    ]
    for name, seconds in demo.latencies.items():
        lines.append(f"{name:28} {seconds * 1e3:7.3f} ms {slowest / seconds:12.2f}x")
    return "\n".join([*lines, "", *_legend(demo)])


def _legend(demo: Int8Demo) -> list[str]:
    lines = [
        f"Batch 1, {demo.threads} thread{'s' * (demo.threads != 1)} each; medians of runs taken in "
        "turns. ONNX Runtime has the same files.",
        f"The int8 build gives {demo.like_float32:.1%} of {_PICTURES} other pictures the class of "
        f"the float32 network, {demo.like_file:.1%} that which the quantised file says.",
    ]
    if demo.accuracy is not None:
        lines.append(
            f"On the test images of {demo.accuracy.data}, quantised so: "
            f"{demo.accuracy.int8:.2f} % right, in float32 {demo.accuracy.float32:.2f} % "
            "(docs/accuracy-int8.md)."
        )
    if demo.dots in _NO_DOTS:
        lines.append(
            f"This CPU has no dot products of bytes ({demo.dots}), on which int8 gains the most."
        )
    return lines


def _as_it_says(quantised: onnx.ModelProto) -> onnxruntime.InferenceSession:
    """Computes what the file says, step by step, which ONNX Runtime's int8 kernels do not."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(quantised.SerializeToString(), options)


def _alike(
    classes: list[int], session: onnxruntime.InferenceSession, pictures: list[np.ndarray]
) -> float:
    name = session.get_inputs()[0].name
    others = [int(np.argmax(session.run(None, {name: picture})[0])) for picture in pictures]
    return float(np.mean(np.array(classes) == np.array(others)))


def _known() -> Int8Row | None:
    rows = read_rows(_ROWS) if _ROWS.is_file() else []
    chosen = [row for row in rows if "shipped" in row.network and "pictures" in row.calibration]
    return chosen[0] if chosen else None
