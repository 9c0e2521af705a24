"""Damaged files end in an error of ours or in a library: nothing else, and soon."""

import multiprocessing
import resource
import time

import numpy as np
import onnxruntime
import pytest

from tests.importing.mutated_models import SOUND, mutated
from tvm_patdnn.builder import build
from tvm_patdnn.errors import PatDNNError

AT_ONCE = 50  # files that a child process tries
MEMORY = 1 << 30  # bytes, beyond what the process has when it starts


@pytest.mark.parametrize("make", SOUND)
def test_the_sound_ones_compute_what_onnx_runtime_does(make):
    data = make().SerializeToString()
    assert outcome(data) == "right"


def outcome(data: bytes) -> str:
    """Builds a file and runs what comes out, if ONNX Runtime runs the file, too."""
    try:
        library = build(data)
    except PatDNNError as error:
        return f"declined: {error}"
    random = np.random.default_rng(0)
    try:
        inputs = {
            name: random.standard_normal(shape).astype(dtype)
            for name, (shape, dtype) in library.metadata.inputs.items()
        }
    except ValueError:  # no numbers, but sizes beyond what numpy counts
        return "built"
    try:
        session = onnxruntime.InferenceSession(data)
        expected = session.run(list(library.metadata.outputs), inputs)
    except Exception:  # it declines what we accept
        return "built"
    for name, right in zip(library.metadata.outputs, expected):
        scale = max(1.0, float(np.abs(right[np.isfinite(right)]).max(initial=0)))
        found = library.run(inputs)[name]
        np.testing.assert_allclose(found, right, rtol=0, atol=1e-3 * scale)
    return "right"


def try_files(seeds: range, report: object) -> None:
    onnxruntime.set_default_logger_severity(4)
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    for seed in seeds:
        began = time.monotonic()
        try:
            said = outcome(mutated(seed))
        except BaseException as error:
            said = f"FOREIGN {type(error).__name__}: {error}"[:500]
        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - held
        if used > MEMORY:
            said = f"MEMORY {used >> 20} MB, {said}"
        report.send((seed, said, time.monotonic() - began))
    report.send(None)


def ends_of(seeds: range) -> dict[int, str]:
    """Tries files in a child process, which may crash without harm to the tests."""
    context = multiprocessing.get_context("spawn")
    ends: dict[int, str] = {}
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=try_files, args=(seeds, theirs))
    child.start()
    theirs.close()
    try:
        while (told := ours.recv()) is not None:
            ends[told[0]] = told[1]
    except EOFError:
        ends[seeds[len(ends)]] = "CRASH"
    child.join()
    return ends


def check(seeds: range) -> None:
    ends = ends_of(seeds)
    bad = {seed: said for seed, said in ends.items() if said[:5].isupper()}
    assert not bad
    assert len(ends) == len(seeds)


@pytest.mark.parametrize("start", range(0, 100, AT_ONCE))
def test_a_hundred_damaged_files(start):
    check(range(start, start + AT_ONCE))


@pytest.mark.long
@pytest.mark.parametrize("start", range(1000, 4000, 250))
def test_thousands_of_damaged_files(start):
    check(range(start, start + 250))
