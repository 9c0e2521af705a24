import sys

import pytest

from tests.built import library, require_linker
from tvm_patdnn.errors import BuildError
from tvm_patdnn.library.cross_compile import Linker
from tvm_patdnn.standalone.link import link_archive, link_object, link_shared


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    require_linker(library())
    made = tmp_path_factory.mktemp("link") / "net"
    library().export_standalone(made, "net")
    return made


def failing(script):
    return Linker(command=(sys.executable, "-c", script), triple="x86_64-linux-gnu")


@pytest.mark.parametrize("link", [link_shared, link_object, link_archive])
def test_what_the_compiler_says_is_shown(folder, tmp_path, link):
    compiler = failing("import sys; sys.exit('no room')")
    with pytest.raises(
        BuildError, match=r"compiling for 'x86_64-linux-gnu': exit status 1 of .*no"
    ):
        link(compiler, folder, "net", tmp_path / "out")


def test_a_compiler_that_is_gone(folder, tmp_path):
    with pytest.raises(BuildError, match="cannot start /none/cc"):
        link_object(Linker(command=("/none/cc",), triple="t-linux"), folder, "net", tmp_path / "o")


def test_a_shared_library_of_another_system(folder, tmp_path):
    compiler = Linker(command=("cc",), triple="arm64-apple-macos")
    with pytest.raises(BuildError, match=r"for 'arm64-apple-macos' is not supported; write a fold"):
        link_shared(compiler, folder, "net", tmp_path / "out.so")


def test_no_archiver(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("tvm_patdnn.standalone.link.link_object", lambda *_: None)
    monkeypatch.setattr("tvm_patdnn.standalone.link.shutil.which", lambda name: None)
    with pytest.raises(BuildError, match=r"found no archiver \(ar\) for .*; write an object file"):
        link_archive(failing(""), folder, "net", tmp_path / "out.a")
