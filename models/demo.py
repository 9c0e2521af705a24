"""Builds a trained, pruned network and races it against its dense twin: ``make demo``.

The network fills in the colours of a camera's mosaic; models/README.md says where it is
from and how it was pruned. Both builds are checked against ONNX Runtime.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime

from models.mosaics import bayer_mosaic, dead_leaves, psnr
from models.race import Timer, onnxruntime_session, onnxruntime_timer, race
from tvm_patdnn.builder import build
from tvm_patdnn.cli.progress import BUILD_PHASES, PhaseBar
from tvm_patdnn.optimizations import Optimizations
from tvm_patdnn.report import Report
from tvm_patdnn.threads import VARIABLE, use_all_cores

__all__ = ["Demo", "format_demo", "run_demo"]

MODEL = Path(__file__).parent / "demosaic_bayer_pruned.onnx"
TOLERANCE = 1e-3  # largest difference to ONNX Runtime, relative to the largest output
_REFERENCE = f"onnxruntime {onnxruntime.__version__}"


@dataclass(frozen=True, kw_only=True)
class Demo:
    """What was measured.

    Attributes:
        report: what became of each layer of the pruned build.
        latencies: median seconds of "pruned", "dense" and of ONNX Runtime.
        errors: largest difference of "pruned" and "dense" to ONNX Runtime, relative to the
            largest output.
        quality: PSNR of the pruned build's image in decibels.
        threads: of each contender.
    """

    report: Report
    latencies: dict[str, float]
    errors: dict[str, float]
    quality: float
    threads: int


def run_demo(model: Path = MODEL, *, size: int = 128, rounds: int = 12) -> Demo:
    """Builds ``model`` pruned and dense, checks both, and measures them in turns.

    Args:
        model: maps a mosaic (1, 3, size, size) to an image of the same shape.
        rounds: of the measurement.
    """
    use_all_cores()
    threads = int(os.environ[VARIABLE])
    truth = dead_leaves(size, np.random.default_rng(2016))
    with PhaseBar(2 * BUILD_PHASES + rounds) as progress:
        pruned = build(model, progress=lambda p: progress(f"pruned build: {p}"))
        dense = build(
            model,
            optimizations=Optimizations(sparse=False),
            progress=lambda p: progress(f"dense build: {p}"),
        )
        session = onnxruntime_session(str(model), threads)
        inputs = {session.get_inputs()[0].name: bayer_mosaic(truth)[None]}
        (expected,) = session.run(None, inputs)
        (image,), (dense_image,) = (lib.run(inputs).values() for lib in (pruned, dense))
        contenders: dict[str, Timer] = {
            "pruned": lambda n: pruned.runnable.time(inputs, n),
            "dense": lambda n: dense.runnable.time(inputs, n),
            _REFERENCE: onnxruntime_timer(session, inputs),
        }
        latencies = race(contenders, rounds=rounds, progress=progress)
    return Demo(
        report=pruned.report,
        latencies=latencies,
        errors={"pruned": _error(image, expected), "dense": _error(dense_image, expected)},
        quality=psnr(image[0], truth),
        threads=threads,
    )


def format_demo(demo: Demo) -> str:
    """Returns the result for people."""
    dense = demo.latencies["dense"]
    lines = [str(demo.report), "", f"{'':22}   latency   dense / this   error"]
    for name, seconds in demo.latencies.items():
        error = f"{demo.errors[name]:.0e}" if name in demo.errors else "(reference)"
        lines.append(f"{name:22} {seconds * 1e3:6.2f} ms {dense / seconds:10.2f}x   {error}")
    return "\n".join([*lines, "", _legend(demo)])


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the demo; returns 1 if an output is wrong."""
    parser = argparse.ArgumentParser(prog="python -m models.demo", description=__doc__)
    parser.add_argument("--rounds", type=int, default=12, help="of measuring (%(default)s)")
    args = parser.parse_args(argv)
    print(f"A trained demosaicking network, pruned: {MODEL.name} (see models/README.md)\n")
    demo = run_demo(rounds=args.rounds)
    print(format_demo(demo))
    wrong = [name for name, error in demo.errors.items() if not error < TOLERANCE]
    for name in wrong:
        print(f"the {name} build differs from ONNX Runtime", file=sys.stderr)
    return 1 if wrong else 0


def _error(image: np.ndarray, expected: np.ndarray) -> float:
    return float(np.abs(image - expected).max() / np.abs(expected).max())


def _legend(demo: Demo) -> str:
    return (
        f"Batch 1, fp32, {demo.threads} thread{'s' * (demo.threads != 1)} each; medians of runs "
        "taken in turns.\n"
        "dense: this package's own TVM build of the same file with its zeros computed as numbers.\n"
        "error: largest difference to ONNX Runtime, relative to the largest output.\n"
        f"PSNR of the pruned build's image against the true one: {demo.quality:.1f} dB."
    )


if __name__ == "__main__":
    sys.exit(main())
