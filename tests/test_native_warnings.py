import gc
import os
import threading

import pytest
from tvm import relax

from tests.built import inputs, network, require_linker
from tvm_patdnn import builder
from tvm_patdnn.library.loading import load
from tvm_patdnn.native_warnings import release_frames, without_native_warnings

WARNING = b"[12:34:56] /project/src/runtime/vm/executable.cc:276: Warning: Scope Saving: 1\n"


def test_only_warnings_are_dropped(capfd):
    with without_native_warnings():
        os.write(2, WARNING + b"kept\n" + WARNING + b"[12:34:56] a.cc:1: Error: bad\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "kept\n[12:34:56] a.cc:1: Error: bad\nafter\n"


def test_what_is_raised_passes_and_stderr_is_back(capfd):
    with pytest.raises(KeyError), without_native_warnings():
        raise KeyError
    os.write(2, WARNING)
    assert capfd.readouterr().err == WARNING.decode()


def test_threads_take_turns(capfd):
    def write():
        with without_native_warnings():
            os.write(2, WARNING + b"x\n")

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert capfd.readouterr().err == "x\n" * 8


def test_a_library_with_constants_of_the_virtual_machine(tmp_path, monkeypatch, capfd):
    """Once it has run, TVM says a line of each when it writes them and when it reads them."""
    monkeypatch.setattr(builder, "constant_file", lambda triple: None)
    library = builder.build(network())
    require_linker(library)
    library.run(inputs())
    library.export_library(tmp_path / "model.so")
    load(tmp_path / "model.so")
    assert capfd.readouterr().err == ""


def test_builders_that_an_error_left_go_without_a_warning(capfd):
    x = relax.Var("x", relax.TensorType((1,), "float32"))

    def fail(builder):
        with builder.function("main", [x]):
            builder.emit(relax.op.add(x, x))
            raise KeyError

    for release, warned in ((lambda error: None, True), (release_frames, False)):
        try:
            fail(relax.BlockBuilder())
        except KeyError as error:
            release(error)
        gc.collect()
        assert ("remaining blocks" in capfd.readouterr().err) == warned
