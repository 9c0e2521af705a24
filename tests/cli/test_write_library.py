import re

import pytest

from tests.built import FOREIGN_TARGET, foreign_library, library, require_linker
from tvm_patdnn.cli import write_library
from tvm_patdnn.cli.write_library import WriteOptions
from tvm_patdnn.errors import BuildError
from tvm_patdnn.library import cross_compile
from tvm_patdnn.library.loading import load
from tvm_patdnn.library.running import RunnableModel
from tvm_patdnn.library.standalone_model import StandaloneModel


@pytest.fixture(autouse=True)
def _linker():
    require_linker(library())


def options(path, kind=None, name="model"):
    return WriteOptions(output=path, kind=kind, name=name)


def test_standalone_where_it_can_be_and_no_header_unasked(tmp_path):
    written = options(tmp_path / "out.so").write(library())
    assert str(written) == f"{written.bytes / 1024:,.0f} KiB, standalone"
    assert isinstance(load(tmp_path / "out.so"), StandaloneModel)
    assert [file.name for file in tmp_path.iterdir()] == ["out.so"]


def test_standalone_when_asked_with_a_header(tmp_path):
    writing = options(tmp_path / "out.so", "standalone", "net")
    writing.check(None)
    written = writing.write(library())
    assert written.kind == "standalone"
    assert [file.name for file in written.files] == ["out.so", "net.h"]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["net.h", "out.so"]


def test_a_folder(tmp_path):
    written = options(tmp_path / "out", "standalone").write(library())
    assert written.bytes == sum(file.stat().st_size for file in (tmp_path / "out").iterdir())
    assert set(written.files) == set((tmp_path / "out").iterdir())


def test_the_other_kind_when_asked(tmp_path):
    written = options(tmp_path / "out.so", "vm").write(library())
    assert str(written) == f"{written.bytes / 1024:,.0f} KiB, needs TVM to run"
    assert isinstance(load(tmp_path / "out.so"), RunnableModel)


def test_the_other_kind_where_there_is_no_c_compiler(tmp_path, monkeypatch):
    monkeypatch.setattr(write_library, "c_compiler", lambda target: None)
    written = options(tmp_path / "out.so").write(library())
    assert isinstance(load(tmp_path / "out.so"), RunnableModel)
    assert re.search(r"KiB, needs TVM to run \(linking for '.*': found none of", str(written))


def test_the_other_kind_where_the_model_does_not_allow_it(tmp_path, monkeypatch):
    def decline(*_, **__):
        raise BuildError("standalone: the model has NonZero")

    lib = library()
    monkeypatch.setattr(lib, "_write_standalone", decline)
    assert options(tmp_path / "out.so").write(lib).reason == "standalone: the model has NonZero"
    with pytest.raises(BuildError, match="the model has NonZero"):
        options(tmp_path / "other.so", "standalone").write(lib)


def test_other_suffixes_are_as_before(tmp_path):
    assert not options(tmp_path / "out.lib").may_be_standalone
    assert options(tmp_path / "out.lib").write(library()).kind == "vm"


def test_for_another_machine(tmp_path):
    require_linker(foreign_library())
    assert options(tmp_path / "out.so").write(foreign_library()).kind == "standalone"


@pytest.mark.parametrize(("name", "kind"), [("o.so", None), ("o.so", "vm"), ("o.so", "standalone")])
def test_a_missing_linker_is_told_before_the_build(tmp_path, monkeypatch, name, kind):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(cross_compile.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BuildError, match="linking for '.*': found none of .*; to get one: "):
        options(tmp_path / name, kind).check(FOREIGN_TARGET)
