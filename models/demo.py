"""Builds trained, pruned networks and races each against its dense twin: ``make demo``.

models/README.md says where the networks are from and how they were pruned. Both builds of
each are checked against ONNX Runtime. Then the classifier is shown in int8.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime

from models.demo_int8 import SHARE, format_int8_demo, run_int8_demo
from models.mosaics import bayer_mosaic, dead_leaves, psnr
from models.race import Timer, onnxruntime_session, onnxruntime_timer, race
from tvm_patdnn.builder import build
from tvm_patdnn.library.report import Report
from tvm_patdnn.machine.threads import VARIABLE, use_all_cores
from tvm_patdnn.optimizations import Optimizations
from tvm_patdnn.progress import BUILD_PHASES, PhaseBar

__all__ = ["EXHIBITS", "Demo", "Exhibit", "demosaicking", "format_demo", "run_demo"]

TOLERANCE = 1e-3  # largest difference to ONNX Runtime, relative to the largest output
_REFERENCE = f"onnxruntime {onnxruntime.__version__}"


@dataclass(frozen=True, kw_only=True)
class Exhibit:
    """A network with something to feed it.

    Attributes:
        title: what it is.
        file: the ONNX file; it has one input and one output.
        input: what to feed it, float32.
        judge: says in a line how good an output for that input is.
    """

    title: str
    file: Path
    input: np.ndarray
    judge: Callable[[np.ndarray], str]


@dataclass(frozen=True, kw_only=True)
class Demo:
    """What was measured.

    Attributes:
        report: what became of each layer of the pruned build.
        latencies: median seconds of "pruned", "dense" and of ONNX Runtime.
        errors: largest difference of "pruned" and "dense" to ONNX Runtime, relative to the
            largest output.
        quality: what the exhibit's judge says of the pruned build's output.
        threads: of each contender.
    """

    report: Report
    latencies: dict[str, float]
    errors: dict[str, float]
    quality: str
    threads: int


def demosaicking(file: Path, size: int) -> Exhibit:
    """Feeds a mosaic (1, 3, size, size) to a network that fills in the colours."""
    truth = dead_leaves(size, np.random.default_rng(2016))
    return Exhibit(
        title="A trained demosaicking network",
        file=file,
        input=bayer_mosaic(truth)[None],
        judge=lambda image: (
            "PSNR of the pruned build's image against the true one: "
            f"{psnr(image[0], truth):.1f} dB."
        ),
    )


def classification(file: Path) -> Exhibit:
    """Feeds a made-up picture to a network that was trained here, with patterns, by ADMM."""
    picture = dead_leaves(32, np.random.default_rng(2020))[None]
    return Exhibit(
        title="A classifier for CIFAR-10 (JPEG)",
        file=file,
        input=(picture - picture.mean()) / picture.std(),
        judge=lambda scores: "models/README.md has its accuracy, and the dense network's.",
    )


_HERE = Path(__file__).parent
EXHIBITS = (
    classification(_HERE / "small_vgg_cifar10_pruned.onnx"),
    demosaicking(_HERE / "demosaic_bayer_pruned.onnx", 128),
)


def run_demo(exhibit: Exhibit, *, rounds: int = 12) -> Demo:
    """Builds a network pruned and dense, checks both, and measures them in turns.

    Args:
        rounds: of the measurement.
    """
    use_all_cores()
    threads, model = int(os.environ[VARIABLE]), exhibit.file
    with PhaseBar(2 * BUILD_PHASES + rounds) as progress:
        pruned = build(model, progress=lambda p: progress(f"pruned build: {p}"))
        dense = build(
            model,
            optimizations=Optimizations(sparse=False),
            progress=lambda p: progress(f"dense build: {p}"),
        )
        session = onnxruntime_session(str(model), threads)
        inputs = {session.get_inputs()[0].name: exhibit.input}
        (expected,) = session.run(None, inputs)
        (output,), (dense_output,) = (lib.run(inputs).values() for lib in (pruned, dense))
        contenders: dict[str, Timer] = {
            "pruned": lambda n: pruned.runnable.time(inputs, n),
            "dense": lambda n: dense.runnable.time(inputs, n),
            _REFERENCE: onnxruntime_timer(session, inputs),
        }
        latencies = race(contenders, rounds=rounds, progress=progress)
    return Demo(
        report=pruned.report,
        latencies=latencies,
        errors={"pruned": _error(output, expected), "dense": _error(dense_output, expected)},
        quality=exhibit.judge(output),
        threads=threads,
    )


def format_demo(demo: Demo) -> str:
    """Returns the result for people."""
    dense = demo.latencies["dense"]
    lines = [str(demo.report), "", f"{'':22}    latency   dense / this   error"]
    for name, seconds in demo.latencies.items():
        error = f"{demo.errors[name]:.0e}" if name in demo.errors else "(reference)"
        lines.append(f"{name:22} {seconds * 1e3:7.3f} ms {dense / seconds:10.2f}x   {error}")
    return "\n".join([*lines, "", _legend(demo)])


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the demo; returns 1 if an output is wrong."""
    parser = argparse.ArgumentParser(prog="python -m models.demo", description=__doc__)
    parser.add_argument("--rounds", type=int, default=12, help="of measuring (%(default)s)")
    args = parser.parse_args(argv)
    status = 0
    for exhibit in EXHIBITS:
        print(f"{exhibit.title}, pruned: {exhibit.file.name} (see models/README.md)\n")
        demo = run_demo(exhibit, rounds=args.rounds)
        print(f"{format_demo(demo)}\n")
        for name, error in demo.errors.items():
            if not error < TOLERANCE:
                print(f"the {name} build differs from ONNX Runtime", file=sys.stderr)
                status = 1
    return max(status, _show_int8(EXHIBITS[0].file, args.rounds))


def _show_int8(file: Path, rounds: int) -> int:
    """Shows the classifier in int8; returns 1 if its build is not what the file says."""
    print(f"The same classifier in int8: {file.name}, quantised\n")
    demo = run_int8_demo(file, rounds=rounds)
    print(f"{format_int8_demo(demo)}\n")
    if demo.like_file >= SHARE:
        return 0
    print("the int8 build differs from what the quantised file says", file=sys.stderr)
    return 1


def _error(output: np.ndarray, expected: np.ndarray) -> float:
    return float(np.abs(output - expected).max() / np.abs(expected).max())


def _legend(demo: Demo) -> str:
    return (
        f"Batch 1, fp32, {demo.threads} thread{'s' * (demo.threads != 1)} each; medians of runs "
        "taken in turns.\n"
        "dense: this package's own TVM build of the same file with its zeros computed as numbers.\n"
        "error: largest difference to ONNX Runtime, relative to the largest output.\n"
        f"{demo.quality}"
    )


if __name__ == "__main__":
    sys.exit(main())
