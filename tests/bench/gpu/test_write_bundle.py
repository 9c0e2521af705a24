import subprocess

import pytest

from tvm_patdnn.bench.gpu import write_bundle as module
from tvm_patdnn.bench.gpu.layer_case import Layer
from tvm_patdnn.bench.gpu.write_bundle import LayerPlan, write_bundle
from tvm_patdnn.errors import BenchError
from tvm_patdnn.machine.targets import resolve_target

LAYER = Layer(name="small", in_c=16, out_c=32, side=28)
PLAN = LayerPlan(variant="blocks of 4", batch=1, schedules=2, busy=(2,))


def written(folder, monkeypatch, run) -> list:
    monkeypatch.setattr(module.subprocess, "run", run)
    return write_bundle(folder, resolve_target("cuda -arch=sm_80"), [LAYER], [PLAN])


def test_all_schedules_of_a_layer_are_compiled_at_once_for_the_architecture(tmp_path, monkeypatch):
    commands = []

    def run(command, **options):
        commands.append((command, options["input"]))
        return subprocess.CompletedProcess(command, 0, "", "")

    cases = written(tmp_path, monkeypatch, run)
    ((command, source),) = commands
    assert command[0] == "nvcc"
    assert "-arch=sm_80" in command
    assert all(case.launches[0].kernel in source for case in cases)
    assert {case.module for case in cases} == {"small-blocks-of-4-1-float32.cubin"}
    assert len({str(case.schedule) for case in cases}) == len(cases) >= 2


def test_a_missing_compiler_is_told(tmp_path, monkeypatch):
    def missing(*args, **options):
        raise FileNotFoundError

    with pytest.raises(BenchError, match="nvcc: not found, .* install NVIDIA's CUDA toolkit"):
        written(tmp_path, monkeypatch, missing)


def test_what_the_compiler_refuses_is_told(tmp_path, monkeypatch):
    def refuses(command, **options):
        return subprocess.CompletedProcess(command, 1, "", "error: no such thing\nmore")

    with pytest.raises(BenchError, match="nvcc refuses small-.*: error: no such thing$"):
        written(tmp_path, monkeypatch, refuses)
