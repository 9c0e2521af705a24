import argparse
import os
import subprocess
import sys

import onnx
import pytest

import tvm_patdnn
from tests.built import inputs, library, pruned_network, require_linker
from tests.half_models import half_model
from tests.records.samples import record
from tvm_patdnn.cli import main
from tvm_patdnn.cli.build import _options, add_parser
from tvm_patdnn.cli.build_cache import BuildCache, cache_folder
from tvm_patdnn.cli.written import Written
from tvm_patdnn.errors import BuildError
from tvm_patdnn.records.log_files import VARIABLE
from tvm_patdnn.records.record_files import append_records


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Where builds are kept."""
    require_linker(library())
    monkeypatch.setenv("TVM_PATDNN_CACHE", str(tmp_path / "cache"))
    onnx.save(pruned_network(), tmp_path / "pruned.onnx")
    return tmp_path / "cache"


@pytest.fixture
def build(tmp_path, capsys):
    """Runs the command; returns what it prints, and whether it built."""

    def run(name, *words, model="pruned.onnx"):
        assert main(["build", str(tmp_path / model), "-o", str(tmp_path / name), *words]) == 0
        said = capsys.readouterr()
        assert ("loading TVM" in said.err) != ("found in the cache" in said.err)
        return said, "loading TVM" in said.err

    return run


def contents(path):
    return {each.name: each.read_bytes() for each in path.iterdir()} if path.is_dir() else None


def test_the_same_again_is_not_built(build, tmp_path):
    first, built = build("out.so", "--json")
    again, built_again = build("again.so", "--json")
    assert (built, built_again) == (True, False)
    assert again.out == first.out.replace("out.so", "again.so")
    assert (tmp_path / "again.so").read_bytes() == (tmp_path / "out.so").read_bytes()
    assert (tmp_path / "again.so").stat().st_mode == (tmp_path / "out.so").stat().st_mode
    found = tvm_patdnn.load(tmp_path / "again.so").run(inputs())
    assert set(found) == {"y"}


def test_nothing_of_tvm_is_imported_for_it(build, tmp_path):
    build("out.so")
    program = (
        "import sys\nfrom tvm_patdnn.cli import main\n"
        f"main(['build', {str(tmp_path / 'pruned.onnx')!r}, '-o', {str(tmp_path / 'a.so')!r}])\n"
        "assert not {'tvm', 'tvm_ffi', 'onnx'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "found in the cache" in done.stderr


@pytest.mark.parametrize("words", [["--dense"], ["--without", "tune"], ["--target", "x86-64"]])
def test_other_options_are_another_build(build, words):
    build("out.so")
    assert build("out.so", *words)[1]
    assert not build("out.so", *words)[1]


def test_every_option_that_changes_the_result_is_another_build(tmp_path):
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    plain = ["build", "m.onnx", "-o", str(tmp_path / "out.so")]
    changed = {
        "target": ["--target", "x86-64"],
        "input_shape": ["--input-shape", "x:1"],
        "kind": ["--kind", "vm"],
        "name": ["--name", "net"],
        "dense": ["--dense"],
        "without": ["--without", "tune"],
        "storage": ["--storage", "float16"],
        "quiet": ["--quiet"],
        "logs": ["--logs", str(tmp_path)],
    }
    append_records(tmp_path / "log.jsonl", [record(1.0)])
    first = _options(parser.parse_args(plain))
    assert {*first} == {*changed, "suffix"}
    for name, words in changed.items():
        other = _options(parser.parse_args([*plain, *words]))
        assert {key for key in first if first[key] != other[key]} == {name}


def test_a_header_and_a_folder(build, tmp_path):
    build("a.so", "--standalone", "--name", "net")
    header = (tmp_path / "net.h").read_bytes()
    (tmp_path / "net.h").unlink()
    said, built = build("b.so", "--standalone", "--name", "net")
    assert not built
    assert (tmp_path / "net.h").read_bytes() == header
    assert said.out.endswith(f"{tmp_path / 'net.h'}\n")
    build("one", "--standalone")
    assert not build("two", "--standalone")[1]
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_other_files_are_left_alone(build, tmp_path):
    build("a.so", "--standalone")
    (tmp_path / "model.h").write_text("/* mine */\n")
    words = ["build", str(tmp_path / "pruned.onnx"), "-o", str(tmp_path / "b.so"), "--standalone"]
    assert main(words) == 1
    assert not (tmp_path / "b.so").exists()
    assert (tmp_path / "model.h").read_text() == "/* mine */\n"


def test_the_other_kind_is_kept_with_the_reason(build, monkeypatch):
    def decline(*_, **__):
        raise BuildError("standalone: the model has NonZero")

    monkeypatch.setattr("tvm_patdnn.builder.export_standalone", decline)
    first, _ = build("a.so")
    again, built = build("b.so")
    assert not built
    assert again.out == first.out.replace("a.so", "b.so")
    assert "needs TVM to run (standalone: the model has NonZero)" in again.out


def test_warnings_are_given_again(build, tmp_path, caplog):
    onnx.save(half_model("Relu"), tmp_path / "half.onnx")
    build("a.so", model="half.onnx")
    _, built = build("b.so", model="half.onnx")
    assert not built
    first, again = (record.getMessage() for record in caplog.records)
    assert first == again
    assert "float16" in first


@pytest.mark.parametrize("words", [["--no-cache"], ["--dump", "passes"]])
def test_builds_that_are_neither_kept_nor_found(build, folder, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    assert build("a.so", *words)[1]
    assert not folder.exists()
    build("a.so")
    assert build("a.so", *words)[1]


def test_what_was_damaged_is_built_anew(build, folder, tmp_path):
    build("a.so")
    (kept,) = folder.glob("*/made/library.so")
    kept.write_bytes(kept.read_bytes()[:-1] + b"x")
    assert build("b.so")[1]
    assert not build("b.so")[1]
    next(folder.glob("*/facts.json")).write_text("{")
    assert build("b.so")[1]


def test_what_was_used_longest_ago_is_removed(tmp_path):
    cache = BuildCache(folder=tmp_path / "kept", limit=250)
    for i, key in enumerate("abc"):
        _keep(cache, key, tmp_path, 100)
        os.utime(cache.folder / key / "facts.json", (i, i))
    assert sorted(each.name for each in cache.folder.iterdir()) == ["b", "c"]
    assert cache.find("b", tmp_path / "found.so", "model") is not None
    _keep(cache, "d", tmp_path, 100)
    assert sorted(each.name for each in cache.folder.iterdir()) == ["b", "d"]
    _keep(cache, "e", tmp_path, 251)
    assert not (cache.folder / "e").exists()


def test_half_made_entries_of_dead_processes_are_removed(tmp_path):
    cache = BuildCache(folder=tmp_path / "kept")
    for name, age in ((".old", 1), (".new", None)):
        (cache.folder / name).mkdir(parents=True)
        if age is not None:
            os.utime(cache.folder / name, (age, age))
    _keep(cache, "a", tmp_path, 10)
    assert sorted(each.name for each in cache.folder.iterdir()) == [".new", "a"]


def test_a_folder_that_cannot_be_written_to_is_no_error(tmp_path):
    (tmp_path / "file").write_text("")
    cache = BuildCache(folder=tmp_path / "file" / "cache")
    _keep(cache, "a", tmp_path, 10)
    assert cache.find("a", tmp_path / "found.so", "model") is None


def test_where_builds_are_kept(monkeypatch, tmp_path):
    assert cache_folder() == tmp_path / "cache"
    monkeypatch.setenv("TVM_PATDNN_CACHE", "")
    assert cache_folder() is None
    monkeypatch.delenv("TVM_PATDNN_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "tvm-patdnn" / "builds"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder() == tmp_path / "home" / ".cache" / "tvm-patdnn" / "builds"


def _keep(cache, key, folder, size):
    output = folder / "library.so"
    output.write_bytes(bytes(size))
    cache.keep(key, output, Written.at(output, "standalone", "{}", []), [])


def test_another_log_is_another_build(build, tmp_path, monkeypatch):
    log = tmp_path / "log.jsonl"
    append_records(log, [record(1.0)])
    words = ("--logs", str(log))
    assert [build(name, *words)[1] for name in ("a.so", "b.so")] == [True, False]
    append_records(log, [record(2.0)])
    assert build("c.so", *words)[1]
    monkeypatch.setenv("TVM_PATDNN_LOGS", str(log))
    assert [build(name)[1] for name in ("d.so", "e.so")] == [True, False]
    append_records(log, [record(3.0)])
    assert build("f.so")[1]


def test_the_records_that_are_read_are_told_apart(tmp_path, monkeypatch):
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    log = tmp_path / "log.jsonl"
    append_records(log, [record(1.0)])

    def logs(*words):
        return _options(parser.parse_args(["build", "m.onnx", "-o", "out.so", *words]))["logs"]

    assert logs() == logs("--logs", "") == ()  # as the tests' environment says
    monkeypatch.setenv(VARIABLE, str(log))
    assert logs() == logs("--logs", str(log)) != logs("--logs", "")
    monkeypatch.delenv(VARIABLE)
    shipped = logs()
    assert len(shipped) > 1
    assert logs("--logs", "") == ()
    assert logs("--logs", str(log)) != shipped
