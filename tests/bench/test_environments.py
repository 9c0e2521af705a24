import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench import fake_systems as fakes
from tvm_patdnn.bench.environments import environment_folder, find_python, install
from tvm_patdnn.bench.systems import REFERENCE, SYSTEMS
from tvm_patdnn.errors import BenchError


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("TVM_PATDNN_BENCH_ENVS", str(tmp_path))
    return tmp_path


@pytest.fixture
def commands(monkeypatch):
    """Lists the commands instead of running them."""
    run: list[list[str]] = []
    done = subprocess.CompletedProcess([], 0, "", "")
    monkeypatch.setattr("subprocess.run", lambda command, **_: run.append(command) or done)
    return run


def test_where_the_packages_are_here_we_run_here():
    assert find_python(fakes.SLEEPER) == sys.executable


def test_where_they_are_not_it_is_missing():
    assert find_python(fakes.ABSENT) is None


def test_an_environment_of_its_own_comes_first(folder):
    python = folder / "onnxruntime" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    assert find_python(REFERENCE) == str(python)


def test_a_variable_names_another(folder, monkeypatch):
    (folder / "py").touch()
    monkeypatch.setenv("TVM_PATDNN_BENCH_PYTHON_ONNXRUNTIME", str(folder / "py"))
    assert find_python(REFERENCE) == str(folder / "py")
    monkeypatch.setenv("TVM_PATDNN_BENCH_PYTHON_ONNXRUNTIME", str(folder / "none"))
    with pytest.raises(BenchError, match="PYTHON_ONNXRUNTIME: no such file: .*none'; give the"):
        find_python(REFERENCE)


def test_by_default_environments_are_where_we_are(monkeypatch, tmp_path):
    monkeypatch.delenv("TVM_PATDNN_BENCH_ENVS")
    monkeypatch.chdir(tmp_path)
    assert environment_folder(REFERENCE) == tmp_path / ".venv-bench" / "onnxruntime"


def test_dependencies_that_are_not_wanted_stay_out(commands, folder):
    told = []
    assert install(SYSTEMS["ncnn"], told.append) == folder / "ncnn"
    make, wanted, bare = commands
    assert make == [sys.executable, "-m", "venv", str(folder / "ncnn")]
    assert wanted[0] == bare[0] == str(folder / "ncnn" / "bin" / "python")
    assert wanted[-2:] == ["ncnn", "numpy"]
    assert bare[-2:] == ["--no-deps", "pnnx"]
    assert told == ["ncnn: environment", "ncnn: ncnn, pnnx, numpy"]


def test_what_pip_says_is_passed_on(monkeypatch):
    failed = subprocess.CompletedProcess([], 1, "", "one\nERROR: no space left\nWARNING: two\n")
    monkeypatch.setattr("subprocess.run", lambda *_, **__: failed)
    with pytest.raises(BenchError, match=r"ncnn: cannot be installed: ERROR: no space left; the"):
        install(SYSTEMS["ncnn"])
