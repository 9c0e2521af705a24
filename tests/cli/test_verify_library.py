import json
from types import SimpleNamespace

import pytest

from tests.built import FOREIGN_TARGET
from tvm_patdnn.cli import verify_library
from tvm_patdnn.errors import BuildError


@pytest.mark.parametrize("kind", ["standalone", "vm"])
def test_both_kinds(files, printed, tmp_path, kind):
    words = ("build", files / "pruned.onnx", "-o", tmp_path / "out.so", "--kind", kind, "--verify")
    said = [line for line in printed(*words).splitlines() if line.startswith("y: ")]
    assert said[-1].startswith("y: differs from ONNX Runtime by ")
    assert said[-1].endswith(" of its largest value")
    if kind == "vm":
        assert 0 <= json.loads(printed(*words, "--json"))["verified"]["y"] < 1e-5


@pytest.mark.parametrize(
    ("output", "target", "message"),
    [
        ("out.so", FOREIGN_TARGET, "verify: this machine does not run what is built for '"),
        ("out.a", None, "verify: .*out.a: only a shared library can be run; write OUT.so"),
        ("folder", None, "verify: .*folder: only a shared library can be run"),
    ],
)
def test_what_cannot_be_run_here_is_told_before_building(tmp_path, output, target, message):
    with pytest.raises(BuildError, match=message):
        verify_library.check_verifiable(tmp_path / output, target)


@pytest.mark.parametrize("target", ["cuda -arch=sm_80", "metal"])
def test_a_gpu_that_is_missing_is_told_before_building(tmp_path, monkeypatch, target):
    monkeypatch.setattr(verify_library.tvm, "device", lambda kind: SimpleNamespace(exist=False))
    with pytest.raises(BuildError, match="verify: this machine has no GPU that TVM can use by "):
        verify_library.check_verifiable(tmp_path / "out.so", target)
    verify_library.check_verifiable(tmp_path / "out.so", "opencl")
