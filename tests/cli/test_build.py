import json

import numpy as np
import onnx
import pytest

import tvm_patdnn
from tests.built import FOREIGN_TARGET, foreign_library, inputs, library, require_linker
from tests.half_models import half_model
from tvm_patdnn.cli import main


def test_builds(files, printed, tmp_path):
    path = tmp_path / "out.so"
    text = printed("build", files / "pruned.onnx", "-o", path, "--dump", tmp_path / "passes")
    assert str(library().report) in text
    assert text.endswith(f"{path}: {path.stat().st_size / 1024:,.0f} KiB, standalone\n")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["out.so", "passes"]
    assert any((tmp_path / "passes").iterdir())
    found, expected = (lib.run(inputs())["y"] for lib in (tvm_patdnn.load(path), library()))
    assert np.abs(found - expected).max() < 1e-6


def test_a_line_for_each_phase_where_there_is_no_terminal(files, capsys, tmp_path):
    words = ["build", str(files / "pruned.onnx"), "-o", str(tmp_path / "out.so")]
    assert main(words) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["tvm-patdnn: loading TVM", "tvm-patdnn: import"]
    assert lines[-1] == "tvm-patdnn: linking"


def test_quiet_is_without_warnings(capsys, tmp_path):
    onnx.save(half_model("Relu"), tmp_path / "half.onnx")
    words = ["build", str(tmp_path / "half.onnx"), "-o", str(tmp_path / "out.so")]
    assert main([*words, "-q"]) == 0
    assert capsys.readouterr().err == ""


def test_dense_json(files, printed, tmp_path):
    path = tmp_path / "out.so"
    result = json.loads(
        printed("build", files / "pruned.onnx", "-o", path, "--dense", "--json", "--quiet")
    )
    assert (result["library"], result["bytes"]) == (str(path), path.stat().st_size)
    assert (result["kind"], result["files"]) == ("standalone", [str(path)])
    assert json.loads(result["target"])["kind"] == "llvm"
    assert [layer["kernel"] for layer in result["layers"]] == ["dense", "dense"]


def test_an_optimisation_is_left_out(files, printed, tmp_path):
    words = ["build", files / "pruned.onnx", "-o", tmp_path / "out.so", "--json", "--quiet"]
    full, without = (
        json.loads(printed(*words, *more))["layers"]
        for more in ([], ["--without", "share-loads", "--without", "tune"])
    )
    pruned = [i for i, layer in enumerate(full) if layer["kernel"] == "pattern"]
    assert pruned
    for i in pruned:
        assert "share_loads=False" in without[i]["reason"]
        assert full[i]["input_loads"] < full[i]["products"]
        assert without[i]["input_loads"] == without[i]["products"]


def test_for_another_machine(files, printed, failing, tmp_path):
    require_linker(foreign_library())
    path = tmp_path / "out.so"
    printed("build", files / "pruned.onnx", "-o", path, "--target", FOREIGN_TARGET)
    assert "but this machine is" in failing("run", path, "--input", f"x={files / 'x.npy'}")


@pytest.mark.parametrize(
    ("output", "message"),
    [("none/out.so", "No such file or directory; give a path in a folder"), ("", "directory")],
)
def test_unwritable_output_is_told_before_building(
    files, failing, tmp_path, monkeypatch, output, message
):
    monkeypatch.setattr("tvm_patdnn.builder.build", lambda *_, **__: pytest.fail("it was built"))
    path = tmp_path / output
    said = failing("build", files / "pruned.onnx", "-o", path)
    assert f"{path}: cannot be written: " in said
    assert message in said


def test_a_model_that_is_missing_leaves_nothing(failing, tmp_path):
    said = failing("build", tmp_path / "none.onnx", "-o", tmp_path / "out.so")
    assert "none.onnx: no such file; give the path of an .onnx file" in said
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_input_shape(files, failing, tmp_path):
    words = ["build", files / "pruned.onnx", "-o", tmp_path / "out.so", "--input-shape"]
    assert "no input 'y'; the inputs are 'x'" in failing(*words, "y:1")
    assert "input_shapes['x']: got [1], but the model says" in failing(*words, "x:1")


def test_the_kind_that_was_asked_for(files, printed, tmp_path):
    words = ["build", files / "pruned.onnx", "-o"]
    text = printed(*words, tmp_path / "vm.so", "--kind", "vm")
    assert text.endswith("KiB, needs TVM to run\n")
    text = printed(*words, tmp_path / "out.so", "--standalone", "--name", "net")
    assert text.endswith(f"KiB, standalone\n{tmp_path / 'net.h'}\n")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["net.h", "out.so", "vm.so"]


def test_kinds_exclude_each_other(files, misused, tmp_path):
    said = misused("build", "m.onnx", "-o", tmp_path / "o.so", "--kind", "vm", "--standalone")
    assert "not allowed with argument" in said


def test_a_name_is_checked_before_building(files, failing, tmp_path, monkeypatch):
    monkeypatch.setattr("tvm_patdnn.builder.build", lambda *_, **__: pytest.fail("it was built"))
    words = ["build", files / "pruned.onnx", "-o", tmp_path / "o.so", "--standalone"]
    assert "name='my-net': is the prefix of C functions" in failing(*words, "--name", "my-net")


def test_storage_reaches_the_build(files, failing, tmp_path):
    words = ["build", files / "pruned.onnx", "-o", tmp_path / "gpu", "--storage", "float16"]
    assert "storage='float16': is for GPUs; build for one" in failing(*words)
