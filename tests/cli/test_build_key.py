import os
import subprocess
import sys

import numpy as np
import onnx
import pytest

from tests.built import network
from tvm_patdnn.cli import build_key as module
from tvm_patdnn.cli.build_key import build_key

OPTIONS = {"target": None, "dense": False}


@pytest.fixture
def model(tmp_path):
    onnx.save(network(), tmp_path / "model.onnx")
    return tmp_path / "model.onnx"


def test_the_same_again_has_the_same_key(model):
    copy = model.with_name("other.onnx")
    copy.write_bytes(model.read_bytes())
    assert build_key(model, OPTIONS) == build_key(copy, dict(reversed(OPTIONS.items())))


def test_other_bytes_and_other_options_have_another(model):
    keys = {build_key(model, OPTIONS), build_key(model, {**OPTIONS, "dense": True})}
    changed = network().SerializeToString()
    model.write_bytes(changed.replace(b"conv1", b"convA"))
    keys.add(build_key(model, OPTIONS))
    assert len(keys) == 3


def test_weights_in_other_files_count(tmp_path):
    path = tmp_path / "model.onnx"
    stored = onnx.ModelProto()
    stored.CopyFrom(network())
    onnx.save(stored, path, save_as_external_data=True, location="w.bin", size_threshold=0)
    before = build_key(path, OPTIONS)
    weights = np.fromfile(tmp_path / "w.bin", np.uint8)
    weights[-1] ^= 1
    weights.tofile(tmp_path / "w.bin")
    assert before is not None
    assert build_key(path, OPTIONS) not in (before, None)
    (tmp_path / "w.bin").unlink()
    assert build_key(path, OPTIONS) is None


@pytest.mark.parametrize("content", [None, b"location, and nothing that decodes"])
def test_a_model_that_cannot_be_read_has_none(tmp_path, content):
    if content is not None:
        (tmp_path / "model.onnx").write_bytes(content)
    assert build_key(tmp_path / "model.onnx", OPTIONS) is None


@pytest.mark.parametrize("part", ["_versions", "_machine", "_sources", "_tools"])
def test_everything_else_counts_too(model, monkeypatch, part):
    before = build_key(model, OPTIONS)
    monkeypatch.setattr(module, part, lambda: iter(["another"]))
    assert build_key(model, OPTIONS) != before


def test_a_compiler_that_changes_counts(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}:{tmp_path / 'none'}")
    monkeypatch.delenv("CC", raising=False)
    found = [list(module._tools())]
    for name in ("notes", "g++", "aarch64-linux-gnu-gcc-12"):
        (tmp_path / name).write_text(name)
        found.append(list(module._tools()))
    assert found[0] == found[1]
    assert [len(each) for each in found[1:]] == [len(found[0]) + more for more in (0, 1, 2)]
    os.utime(tmp_path / "g++", (1, 1))
    assert list(module._tools()) != found[-1]
    monkeypatch.setenv("CC", str(tmp_path / "notes"))
    assert any("notes" in each for each in module._tools())


def test_sources_and_records_of_this_package_count():
    names = [each.rsplit(" ", 1)[0] for each in module._sources()]
    for name in ("tvm_patdnn builder.py", "relay_passes pipeline.py", "te_schedules window.py"):
        assert name in names
    assert any(name.startswith("autotune_logs") and "json" in name for name in names)
    assert any(name.startswith("tvm_patdnn standalone/c/") for name in names)
    assert not any(name.endswith(".pyc") for name in names)


def test_it_is_found_without_tvm(model):
    program = (
        "import sys\nfrom pathlib import Path\nfrom tvm_patdnn.cli.build_key import build_key\n"
        f"assert build_key(Path({str(model)!r}), {{}})\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('tvm', 'tvm_ffi', 'onnx')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stderr, done.stdout) == ("", "[]\n")
