import pytest

from tests.built import inputs, library, require_linker
from tvm_patdnn.errors import BuildError
from tvm_patdnn.library.library import Library
from tvm_patdnn.library.loading import load
from tvm_patdnn.machine.targets import resolve_target
from tvm_patdnn.standalone import export
from tvm_patdnn.standalone.export import check_standalone_path

KERNELS = [f"kernels{i}.o" for i in range(5)]
FILES = ["CMakeLists.txt", *KERNELS, "net.c", "net.h", "runtime.c", "weights.bin"]


@pytest.fixture(autouse=True)
def _compiler():
    require_linker(library())


def test_a_library_and_its_header_and_nothing_else(tmp_path):
    library().export_standalone(tmp_path / "out.so", "net")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["net.h", "out.so"]
    first = (tmp_path / "net.h").read_text().splitlines()[0]
    assert first.startswith("/* net: a neural network, compiled by tvm-patdnn ")


def test_a_folder_replaces_one_of_its_kind(tmp_path):
    path = tmp_path / "out"
    library().export_standalone(path, "other")
    library().export_standalone(path, "net")
    assert sorted(file.name for file in path.iterdir()) == FILES
    assert list(tmp_path.iterdir()) == [path]
    assert path.stat().st_mode & 0o555 == 0o555


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "main.c").write_text("mine")
    with pytest.raises(BuildError, match=r"is a folder with other files \(main.c, notes.txt\); gi"):
        library().export_standalone(tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["main.c", "notes.txt"]


def test_a_header_is_never_written_over_another_file(tmp_path):
    (tmp_path / "net.h").write_text("/* mine */\n")
    with pytest.raises(BuildError, match="net.h: is in the way of the header; move it, or choose"):
        library().export_standalone(tmp_path / "out.so", "net")
    library().export_standalone(tmp_path / "out.so", "net", header=False)
    library().export_standalone(tmp_path / "out.so", "own")
    library().export_standalone(tmp_path / "out.so", "own")
    assert (tmp_path / "net.h").read_text() == "/* mine */\n"


@pytest.mark.parametrize("name", ["", "2d", "my-net", "größe", "a b", "a" * 65])
def test_names_that_c_does_not_allow(tmp_path, name):
    with pytest.raises(BuildError, match=f"name='{name}': is the prefix of C functions; give let"):
        library().export_standalone(tmp_path / "out.so", name)


@pytest.mark.parametrize("name", ["int", "ARENA", "linux", "copy", "a" * 64])
def test_names_that_c_or_the_runtime_use_are_only_prefixes(tmp_path, name):
    library().export_standalone(tmp_path / "out.so", name)
    assert f"int {name}_run({name}_instance *instance" in (tmp_path / f"{name}.h").read_text()
    assert (load(tmp_path / "out.so").run(inputs())["y"] == library().run(inputs())["y"]).all()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("out.dll", "a standalone model is a shared library .*, not '.dll'"),
        ("none/out.so", "none/out.so: cannot be written: No such file or directory"),
        ("none/out", "none/out: cannot be written: No such file or directory"),
        ("file", "file: is a file; give the path of a folder, or of a .so, .a or .o"),
    ],
)
def test_paths(tmp_path, path, message):
    (tmp_path / "file").write_text("x")
    with pytest.raises(BuildError, match=message):
        library().export_standalone(tmp_path / path)


def test_without_a_compiler_a_folder_is_advised(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "c_compiler", lambda target: None)
    with pytest.raises(BuildError, match=r"standalone: linking for .*; or write a folder \(a path"):
        check_standalone_path(tmp_path / "out.so", "net", library().target)
    check_standalone_path(tmp_path / "out", "net", library().target)


def test_shared_libraries_of_other_systems(tmp_path, monkeypatch):
    class Compiler:
        triple = "arm64-apple-macos"

    monkeypatch.setattr(export, "c_compiler", lambda target: Compiler)
    with pytest.raises(BuildError, match="a shared library for 'arm64-apple-macos' is not support"):
        library().export_standalone(tmp_path / "out.so")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export, "write_folder", fail)
    with pytest.raises(BuildError, match="out.so: cannot be written: .*No space left on device"):
        library().export_standalone(tmp_path / "out.so")
    assert list(tmp_path.iterdir()) == []


def test_a_library_that_was_not_built():
    bare = Library(library()._executable, library().target, library().metadata)
    with pytest.raises(BuildError, match="standalone: this library was not made by build"):
        bare.export_standalone("out.so")


def test_the_folder_for_a_machine_without_tools_here(tmp_path):
    """Android's compiler is rarely here; the folder needs none."""
    check_standalone_path(tmp_path / "out", "net", resolve_target("android-arm64"))
