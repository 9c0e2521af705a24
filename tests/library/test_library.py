import contextlib
import errno
from pathlib import Path

import pytest
import tvm
from tvm import relax

from tests.built import foreign_library, inputs, library, require_linker
from tvm_patdnn.errors import BuildError, LibraryError
from tvm_patdnn.library import library as library_module
from tvm_patdnn.library.cross_compile import Linker
from tvm_patdnn.library.library import load


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    path = tmp_path_factory.mktemp("library") / "model.so"
    require_linker(library())
    library().export_library(path)
    return path


def test_a_loaded_library_is_the_one_that_was_built(exported):
    loaded = load(exported)
    assert loaded.metadata == library().metadata
    assert list(loaded.report) == list(library().report)
    assert (loaded.run(inputs())["y"] == library().run(inputs())["y"]).all()


def test_only_the_library_is_left_in_the_folder(exported):
    assert [path.name for path in exported.parent.iterdir()] == ["model.so"]


def test_a_failing_link_leaves_the_old_file(tmp_path, monkeypatch):
    linker = Linker(command=("false",), triple="x86_64-linux-gnu")
    monkeypatch.setattr(library_module, "export_compiler", lambda target: linker)
    path = tmp_path / "model.so"
    path.write_bytes(b"old")
    with pytest.raises(BuildError, match="exit status 1 of `false"):
        library().export_library(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    def fill(objects, *_, **__):
        Path(objects).write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    lib = library_module.Library(library()._executable, library().target, library().metadata)
    monkeypatch.setattr(
        lib, "_executable", type("Full", (), {"export_library": staticmethod(fill)})
    )
    with pytest.raises(BuildError, match="model.so: cannot be written: .*No space left"):
        lib.export_library(tmp_path / "model.so")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(BuildError, match="none/model.so: cannot be written: No such file or dir"):
        library().export_library(tmp_path / "none" / "model.so")


def test_libraries_for_other_machines_do_not_run_here():
    with pytest.raises(LibraryError, match="built for '.*', which this machine does not run; wri"):
        foreign_library().run(inputs())


def test_files_for_other_machines_do_not_load_here(tmp_path):
    require_linker(foreign_library())
    path = tmp_path / "model.so"
    foreign_library().export_library(path)
    with pytest.raises(LibraryError, match=r"model.so: is built for \w+, but this machine is"):
        load(path)


def test_a_damaged_library(exported, tmp_path):
    path = tmp_path / "model.so"
    path.write_bytes(exported.read_bytes()[:200])
    with pytest.raises(LibraryError, match="model.so: cannot be loaded: "):
        load(path)


def test_a_library_without_a_model(tmp_path):
    @tvm.script.ir_module
    class Other:
        @tvm.script.tirx.prim_func
        def main(x: tvm.script.tirx.Buffer((8,), "float32")):
            for i in range(8):
                x[i] = x[i] + tvm.script.tirx.float32(1)

    path = tmp_path / "other.so"
    tvm.compile(Other, target=library().target).export_library(str(path))
    with pytest.raises(LibraryError, match="the library holds no model that this version can run"):
        load(path)


def test_a_library_without_metadata(tmp_path):
    builder = relax.BlockBuilder()
    x = relax.Var("x", relax.TensorType((8,), "float32"))
    with builder.function("main", [x]):
        builder.emit_func_output(builder.emit(relax.op.nn.relu(x)))
    path = tmp_path / "other.so"
    relax.build(builder.finalize(), library().target).export_library(str(path))
    with pytest.raises(LibraryError, match="holds no model .*; build it again with this version"):
        load(path)


@contextlib.contextmanager
def device():
    """A session with a device, which is this machine behind TVM's RPC server."""
    pytest.importorskip("cloudpickle")
    pytest.importorskip("psutil")
    try:
        server = tvm.rpc.Server("127.0.0.1", port=19190, port_end=19290, silent=True)
    except (OSError, RuntimeError, TimeoutError) as error:
        pytest.skip(f"the RPC server does not start: {error}")
    try:
        yield tvm.rpc.connect("127.0.0.1", server.port)
    finally:
        server.terminate()


def test_on_a_device():
    require_linker(library())
    with device() as session:
        model = library().on_device(session)
        assert model.metadata == library().metadata
        assert (model.run(inputs())["y"] == library().run(inputs())["y"]).all()
        assert min(model.time(inputs(), repeats=2)) > 0


def test_a_device_of_another_architecture():
    require_linker(foreign_library())
    with (
        device() as session,
        pytest.raises(LibraryError, match="the device did not load the library: .*; check that"),
    ):
        foreign_library().on_device(session)
