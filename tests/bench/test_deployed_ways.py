import pytest

from tests.built import library, require_linker
from tvm_patdnn.bench import deployed_ways
from tvm_patdnn.bench.deployed_ways import Way
from tvm_patdnn.errors import BenchError
from tvm_patdnn.library.cross_compile import Linker


def test_a_process_that_fails(tmp_path):
    way = Way(path=tmp_path / "alone.so", command=["sh", "-c", "echo no memory >&2; exit 1"])
    with pytest.raises(BenchError, match="alone.so: a process that runs it fails: no memory; run"):
        way.measure(1, 1)


def test_without_a_compiler(tmp_path, monkeypatch):
    require_linker(library())
    monkeypatch.setattr(deployed_ways, "c_compiler", lambda target: None)
    with pytest.raises(BenchError, match="C program: linking for '.*': found none of"):
        deployed_ways.deployed_ways(library(), tmp_path / "model.onnx", tmp_path)


def test_a_compiler_that_fails(tmp_path, monkeypatch):
    require_linker(library())
    broken = Linker(command=("sh", "-c", "echo no such header >&2; exit 1"), triple="x")
    monkeypatch.setattr(deployed_ways, "c_compiler", lambda target: broken)
    with pytest.raises(BenchError, match="C program: cannot be compiled: no such header"):
        deployed_ways.deployed_ways(library(), tmp_path / "model.onnx", tmp_path)


def test_a_c_program_says_what_it_took(tmp_path):
    require_linker(library())
    ways = deployed_ways.deployed_ways(library(), tmp_path / "model.onnx", tmp_path)
    said = ways["C program"].measure(2, 3)
    assert len(said["times_s"]) == 4
    assert said["tensors"] == 4 * (3 * 16 * 16 + 8 * 16 * 16)
    assert said["memory"] > 0
    assert 0 < said["peak_kib"] < 64 * 1024
