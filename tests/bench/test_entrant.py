import numpy as np
import pytest

from tests.bench import fake_systems as fakes
from tvm_patdnn.bench.entrant import Entrant
from tvm_patdnn.bench.options import BenchOptions
from tvm_patdnn.bench.rows import Status
from tvm_patdnn.bench.system import Job


@pytest.fixture
def enter(tmp_path):
    np.savez(tmp_path / "inputs.npz", x=np.zeros(3, np.float32))
    (tmp_path / "model.onnx").write_bytes(b"")
    job = Job(
        model=tmp_path / "model.onnx", outputs=("y",), folder=tmp_path, threads=1, thorough=False
    )
    entered = []

    def enter(system, **options) -> Entrant:
        settings = BenchOptions(**{"threads": 1, "repeats": 6, "rounds": 3, **options})
        entered.append(
            Entrant(system=system, job=job, inputs=tmp_path / "inputs.npz", options=settings)
        )
        entered[-1].start()
        return entered[-1]

    yield enter
    for each in entered:
        each.close()


def test_each_turn_is_kept_by_its_round(enter):
    entrant = enter(fakes.SLEEPER)
    entrant.turn(0)
    entrant.turn(2)
    assert {number: len(seconds) for number, seconds in entrant.turns.items()} == {0: 2, 2: 2}
    assert entrant.status is Status.OK
    assert entrant.peak_rss_bytes > 1 << 20


def test_a_system_that_hangs_has_a_timeout(enter):
    entrant = enter(fakes.HANGS, build_limit=1)
    assert (entrant.status, entrant.message) == (Status.TIMEOUT, "no answer within 1 s")
    entrant.turn(0)
    assert entrant.turns == {}
    assert entrant.outputs() is None


def test_a_missing_system_says_how_to_install_it(enter):
    entrant = enter(fakes.ABSENT)
    assert entrant.status is Status.MISSING
    assert entrant.message == f"not installed: tvm-patdnn bench --install {fakes.ABSENT.name}"


def test_a_wrong_variable_is_a_failure_of_that_system(enter, monkeypatch):
    name = f"TVM_PATDNN_BENCH_PYTHON_{fakes.SLEEPER.name.upper()}"
    monkeypatch.setenv(name, "/no/such/python")
    entrant = enter(fakes.SLEEPER)
    assert entrant.status is Status.FAILED
    assert "no such file: '/no/such/python'" in entrant.message


def test_a_rejected_system_takes_no_turn(enter):
    entrant = enter(fakes.SLEEPER)
    entrant.reject(Status.FAILED, "for a reason")
    entrant.turn(0)
    assert (entrant.status, entrant.message, entrant.turns) == (Status.FAILED, "for a reason", {})


def test_only_a_system_that_tells_its_layers_is_profiled(enter):
    entrant = enter(fakes.SLEEPER)
    entrant.profile(0)
    assert entrant.kernels == {}
