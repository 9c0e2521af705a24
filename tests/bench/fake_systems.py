"""Systems that behave, or do not, for the tests of the comparison."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np

from tvm_patdnn.bench.system import Inputs, Job, Loaded, Prepared, System
from tvm_patdnn.bench.systems.microsoft_onnxruntime import SYSTEM as ONNXRUNTIME

NAP = 0.02  # seconds that a run of SLEEPER takes


def _fake(name: str, load, **options) -> System:
    return System(
        name=f"tests.bench.fake_systems:{name}", packages=(), requirements=(), load=load, **options
    )


def _sleeper(path: Path, job: Job, inputs: Inputs) -> Loaded:
    return Loaded(run=lambda: time.sleep(NAP), outputs=lambda _: [np.arange(3)])


def _chatty(path: Path, job: Job, inputs: Inputs) -> Loaded:
    def run() -> None:
        print("from Python")
        os.write(1, b"from C\n")

    return Loaded(run=run, outputs=lambda _: [], facts={"variant": "loud"})


def _raises(path: Path, job: Job, inputs: Inputs) -> Loaded:
    raise RuntimeError("a long story\nno such operator: Foo")


def _dies(path: Path, job: Job, inputs: Inputs) -> Loaded:
    os.write(2, b"illegal instruction, sorry\n")
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def _hangs(path: Path, job: Job, inputs: Inputs) -> Loaded:
    time.sleep(600)
    raise AssertionError


def _spins(path: Path, job: Job, inputs: Inputs) -> Loaded:
    import threading

    def spin() -> None:
        while True:
            pass

    threading.Thread(target=spin, daemon=True).start()
    return Loaded(run=lambda: None, outputs=lambda _: [])


def _environment(path: Path, job: Job, inputs: Inputs) -> Loaded:
    facts = {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "FAKE", "PIP_DRY_RUN")}
    facts["cpus"] = sorted(os.sched_getaffinity(0))
    return Loaded(run=lambda: None, outputs=lambda _: [], facts=facts)


def _off_by_one(path: Path, job: Job, inputs: Inputs) -> Loaded:
    right = ONNXRUNTIME.load(path, job, inputs)
    return Loaded(run=right.run, outputs=lambda result: [each + 1 for each in result])


def _in_a_folder(job: Job) -> Prepared:
    folder = job.folder / "converted"
    folder.mkdir()
    (folder / "weights").write_bytes(bytes(100))
    (folder / "graph").write_bytes(bytes(20))
    return Prepared(path=folder, facts={"answer": 42})


SLEEPER = _fake("SLEEPER", _sleeper, prepare=_in_a_folder)
CHATTY = _fake("CHATTY", _chatty)
RAISES = _fake("RAISES", _raises)
DIES = _fake("DIES", _dies)
HANGS = _fake("HANGS", _hangs)
SPINS = _fake("SPINS", _spins)
ENVIRONMENT = _fake("ENVIRONMENT", _environment, environment={"FAKE": "1"})
WRONG = _fake("WRONG", _off_by_one)
ABSENT = System(
    name="tests.bench.fake_systems:ABSENT",
    packages=("no_such_package_anywhere",),
    requirements=("no-such-package-anywhere",),
    load=_sleeper,
)
