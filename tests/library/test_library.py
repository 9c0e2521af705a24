import contextlib
import errno
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np
import onnx
import pytest
import tvm
from tvm import relax

import tvm_patdnn
from tests.built import foreign_library, inputs, library, pruned_network, require_linker
from tvm_patdnn.errors import BuildError, LibraryError
from tvm_patdnn.library import library as library_module
from tvm_patdnn.library.cross_compile import Linker
from tvm_patdnn.library.library import load
from tvm_patdnn.library.seal import VM, seal


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


def test_truncated_libraries(exported, tmp_path):
    """Each of them would crash the process, or compute something else."""
    path, whole = tmp_path / "model.so", exported.read_bytes()
    for length in (len(whole) * part // 16 for part in range(1, 16)):
        path.write_bytes(whole[:length])
        with pytest.raises(LibraryError, match="model.so: does not end as a library does"):
            load(path)


def test_damaged_libraries(exported, tmp_path):
    path, whole = tmp_path / "model.so", exported.read_bytes()
    for position in (len(whole) * part // 64 + 32 for part in range(64)):
        damaged = bytearray(whole)
        damaged[position] ^= 0x10
        path.write_bytes(damaged)
        with pytest.raises(LibraryError, match="model.so: (is damaged: its checksum|does not end)"):
            load(path)


def test_a_library_that_the_loader_refuses(tmp_path):
    path = tmp_path / "model.so"
    path.write_bytes(Path(sys.executable).resolve().read_bytes()[:200])
    seal(path, VM)
    with pytest.raises(LibraryError, match="model.so: cannot be loaded: "):
        load(path)


@pytest.fixture(scope="module")
def doubled():
    """Another network with the same interface: its outputs are twice as large."""
    model = onnx.ModelProto()
    model.CopyFrom(pruned_network())
    for weight in model.graph.initializer:
        if weight.name == "conv2.weight":
            twice = 2 * onnx.numpy_helper.to_array(weight)
            weight.CopyFrom(onnx.numpy_helper.from_array(twice, weight.name))
    return tvm_patdnn.build(model)


def test_an_export_under_a_name_that_is_loaded_already(exported, doubled, tmp_path):
    path, expected = tmp_path / "model.so", library().run(inputs())["y"]
    library().export_library(path)
    first = load(path)
    doubled.export_library(path)
    second = load(path)
    assert (first.run(inputs())["y"] == expected).all()
    assert (second.run(inputs())["y"] == 2 * expected).all()
    library().export_library(path)
    assert (load(path).run(inputs())["y"] == expected).all()


def test_a_copy_over_a_library_that_is_loaded_already(exported, doubled, tmp_path):
    """In a process of its own: what is loaded is not what the file held, and breaks at exit."""
    doubled.export_library(tmp_path / "new.so")
    library().export_library(tmp_path / "model.so")
    np.savez(tmp_path / "data.npz", x=inputs()["x"], y=2 * library().run(inputs())["y"])
    code = """
import os, sys, numpy, tvm_patdnn
model, new, data = sys.argv[1:]
first, arrays = tvm_patdnn.load(model), numpy.load(data)
open(model, "wb").write(open(new, "rb").read())  # the same file to the loader
found = tvm_patdnn.load(model).run({"x": arrays["x"]})["y"]
os._exit(0 if (found == arrays["y"]).all() else 1)
"""
    paths = [tmp_path / name for name in ("model.so", "new.so", "data.npz")]
    assert subprocess.run([sys.executable, "-c", code, *paths], check=False).returncode == 0


def test_a_library_of_any_name(exported, tmp_path):
    path = tmp_path / "network.bin"
    path.write_bytes(exported.read_bytes())
    assert (load(path).run(inputs())["y"] == library().run(inputs())["y"]).all()


def test_no_space_for_temporary_files(exported, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    path = shutil.copy(exported, tmp_path / "again.so")
    load(path)  # under its own name
    with pytest.raises(LibraryError, match="no temporary file beside it: .*; set TMPDIR to a"):
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
    seal(path, VM)
    with pytest.raises(LibraryError, match="the library holds no model that this version can run"):
        load(path)


def test_a_library_without_metadata(tmp_path):
    builder = relax.BlockBuilder()
    x = relax.Var("x", relax.TensorType((8,), "float32"))
    with builder.function("main", [x]):
        builder.emit_func_output(builder.emit(relax.op.nn.relu(x)))
    path = tmp_path / "other.so"
    relax.build(builder.finalize(), library().target).export_library(str(path))
    seal(path, VM)
    with pytest.raises(LibraryError, match="holds no model .*; build it again with this version"):
        load(path)


@contextlib.contextmanager
def device():
    """A session with a device, which is this machine behind TVM's RPC server, and the server."""
    pytest.importorskip("cloudpickle")
    pytest.importorskip("psutil")
    try:
        server = tvm.rpc.Server("127.0.0.1", port=19190, port_end=19290, silent=True)
    except (OSError, RuntimeError, TimeoutError) as error:
        pytest.skip(f"the RPC server does not start: {error}")
    try:
        yield tvm.rpc.connect("127.0.0.1", server.port), server
    finally:
        server.terminate()


def test_on_a_device():
    require_linker(library())
    with device() as (session, _):
        model = library().on_device(session)
        assert model.metadata == library().metadata
        assert (model.run(inputs())["y"] == library().run(inputs())["y"]).all()
        assert min(model.time(inputs(), repeats=2)) > 0


def test_a_device_that_has_loaded_another_network_before(doubled):
    require_linker(library())
    with device() as (session, _):
        first, second = library().on_device(session), doubled.on_device(session)
        expected = library().run(inputs())["y"]
        assert (first.run(inputs())["y"] == expected).all()
        assert (second.run(inputs())["y"] == 2 * expected).all()


def test_a_device_that_dies_while_a_model_runs():
    require_linker(library())
    with device() as (session, server):
        model = library().on_device(session)
        killer = threading.Timer(1, server.terminate)
        killer.start()
        with pytest.raises(LibraryError, match="the model did not run to its end: .*; if it runs"):
            model.time(inputs(), repeats=10**8)  # far longer than the device lives
        killer.join()
        for use in (model.run, model.time):
            with pytest.raises(LibraryError, match="check that its server still runs, and connect"):
                use(inputs())


def test_a_device_of_another_architecture():
    require_linker(foreign_library())
    with (
        device() as (session, _),
        pytest.raises(LibraryError, match="the device did not load the library: .*; check that"),
    ):
        foreign_library().on_device(session)
