import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.bench import fake_systems as fakes
from tvm_patdnn.bench.environments import find_python
from tvm_patdnn.bench.worker_process import WorkerFailed, WorkerProcess, WorkerTimeout

_LINUX = Path("/proc/self/stat").exists()
_LIMIT = 60


@pytest.fixture
def job(tmp_path) -> dict:
    np.savez(tmp_path / "inputs.npz", x=np.zeros(3, np.float32))
    (tmp_path / "model.onnx").write_bytes(b"12345")
    return {
        "model": str(tmp_path / "model.onnx"),
        "outputs": ["y"],
        "folder": str(tmp_path),
        "threads": 1,
        "thorough": False,
    }


def _start(system, **options) -> WorkerProcess:
    return WorkerProcess(system, sys.executable, threads=1, **options)


def _load(worker, job, limit=_LIMIT) -> dict:
    inputs = str(Path(job["folder"]) / "inputs.npz")
    return worker.ask("load", limit, job=job, path=job["model"], inputs=inputs)


def test_a_system_is_prepared_loaded_and_run(job, tmp_path):
    with _start(fakes.SLEEPER) as worker:
        prepared = worker.ask("prepare", _LIMIT, job=job)
        assert prepared["bytes"] == 120
        assert prepared["facts"] == {"answer": 42}
        loaded = _load(worker, job)
        assert loaded["base_rss_bytes"] > 1 << 20
        worker.ask("outputs", _LIMIT, path=str(tmp_path / "y.npz"))
        np.testing.assert_array_equal(np.load(tmp_path / "y.npz")["0"], [0, 1, 2])
        ran = worker.ask("run", _LIMIT, repeats=3, limit=_LIMIT)
        assert len(ran["seconds"]) == 3
        assert min(ran["seconds"]) >= fakes.NAP
        assert ran["peak_rss_bytes"] >= loaded["base_rss_bytes"]


def test_what_a_system_prints_does_not_disturb(job):
    with _start(fakes.CHATTY) as worker:
        assert _load(worker, job)["facts"] == {"variant": "loud"}
        assert len(worker.ask("run", _LIMIT, repeats=2, limit=_LIMIT)["seconds"]) == 2


def test_the_last_line_of_an_error_is_told(job):
    with _start(fakes.RAISES) as worker:
        with pytest.raises(WorkerFailed, match="^RuntimeError: no such operator: Foo$"):
            _load(worker, job)
        with pytest.raises(WorkerFailed, match="nothing is loaded yet"):
            worker.ask("run", _LIMIT, repeats=1, limit=1)


def test_a_death_is_told_with_the_last_words(job):
    with (
        _start(fakes.DIES) as worker,
        pytest.raises(WorkerFailed, match="SIGKILL.*illegal instruction, sorry"),
    ):
        _load(worker, job)


def test_an_unknown_system_is_told(job):
    with (
        _start(fakes._fake("NOT_THERE", fakes._sleeper)) as worker,
        pytest.raises(WorkerFailed, match="exit status 1.*no system .*NOT_THERE"),
    ):
        _load(worker, job)


def test_a_system_that_hangs_is_ended(job):
    worker = _start(fakes.HANGS)
    begun = time.monotonic()
    with pytest.raises(WorkerTimeout, match="no answer within 1 s"):
        _load(worker, job, limit=1)
    assert time.monotonic() - begun < 30
    assert worker._process.poll() is not None


@pytest.mark.skipif(not _LINUX, reason="needs /proc")
def test_a_paused_system_uses_no_time(job):
    def used() -> str:
        stat = Path(f"/proc/{worker._process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return f"{stat[0]} {stat[11]} {stat[12]}"  # state, user and system time

    with _start(fakes.SPINS) as worker:
        _load(worker, job)
        worker.pause()
        time.sleep(0.1)
        before = used()
        assert before.startswith("T")
        time.sleep(0.3)
        assert used() == before
        worker.resume()
        assert worker.ask("run", _LIMIT, repeats=1, limit=1)["seconds"]


@pytest.mark.skipif(not _LINUX, reason="needs CPU affinity")
def test_threads_and_cpus_are_set(job):
    import os

    cpu = min(os.sched_getaffinity(0))
    with _start(fakes.ENVIRONMENT, cpus=[cpu]) as worker:
        facts = _load(worker, job)["facts"]
    variables = {"OMP_NUM_THREADS": "1", "FAKE": "1", "PIP_DRY_RUN": "1"}
    assert facts == {**variables, "cpus": [cpu]}
    with _start(fakes.ENVIRONMENT, preparing=True) as worker:
        assert _load(worker, job)["facts"]["FAKE"] is None


def test_an_environment_of_its_own_needs_only_numpy(job, tmp_path, monkeypatch):
    """The worker starts by path, and sees its own modules but nothing installed beside them."""
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    python = tmp_path / "python"  # another path: as if it were another environment
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    monkeypatch.setenv("TVM_PATDNN_BENCH_PYTHON_ONNXRUNTIME", str(python))
    from tvm_patdnn.bench.systems import REFERENCE

    chosen = find_python(REFERENCE)
    assert chosen == str(python)
    with WorkerProcess(REFERENCE, chosen, threads=1) as worker:
        assert worker.ask("prepare", _LIMIT, job=job)["bytes"] == 5
        with pytest.raises(WorkerFailed, match="model.onnx"):  # which is no ONNX
            _load(worker, job)
