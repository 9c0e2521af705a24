import os
import subprocess
import sys

import pytest

from tests.built import inputs, library, require_linker, standalone_library
from tvm_patdnn.errors import LibraryError
from tvm_patdnn.library.loading import load
from tvm_patdnn.library.running import RunnableModel
from tvm_patdnn.library.seal import check_seal
from tvm_patdnn.library.standalone_model import StandaloneModel


@pytest.fixture(scope="module")
def of_the_vm(tmp_path_factory):
    require_linker(library())
    path = tmp_path_factory.mktemp("vm") / "model.so"
    library().export_library(path)
    return path


def test_the_content_tells_the_kind(of_the_vm, tmp_path):
    assert isinstance(load(of_the_vm), RunnableModel)
    renamed = tmp_path / "any.name"
    renamed.write_bytes(standalone_library().read_bytes())
    assert isinstance(load(renamed), StandaloneModel)
    assert (load(renamed).run(inputs())["y"] == load(of_the_vm).run(inputs())["y"]).all()


def test_a_standalone_library_does_without_tvm():
    program = (
        "import sys, tvm_patdnn, numpy\n"
        f"model = tvm_patdnn.load({str(standalone_library())!r})\n"
        "model.run({'x': numpy.zeros((1, 3, 16, 16), 'float32')})\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('tvm', 'tvm_ffi', 'onnx')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stderr, done.stdout) == ("", "[]\n")


def test_a_standalone_library_is_loaded_without_what_only_reports_need():
    program = (
        "import sys, numpy; before = set(sys.modules)\n"
        "import tvm_patdnn\n"
        f"tvm_patdnn.load({str(standalone_library())!r})\n"
        "print(sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr == ""
    for name in ("json", "dataclasses", "tempfile", "shutil", "tvm_patdnn.library.metadata"):
        assert f"'{name}'" not in done.stdout


def test_the_other_kind_with_the_runtime_of_tvm_alone(of_the_vm):
    program = (
        "import os, tvm_patdnn, numpy\n"
        f"model = tvm_patdnn.load({str(of_the_vm)!r})\n"
        "print(model.run({'x': numpy.zeros((1, 3, 16, 16), 'float32')})['y'].any(), flush=True)\n"
        "os._exit(0)"  # TVM's threads may not end where they are told to
    )
    runtime = {**os.environ, "TVM_USE_RUNTIME_LIB": "1"}
    line = [sys.executable, "-c", program]
    done = subprocess.run(line, capture_output=True, text=True, env=runtime)
    assert (done.returncode, done.stdout) == (0, "False\n"), done.stderr


def test_the_other_kind_without_tvm(of_the_vm, monkeypatch):
    monkeypatch.setitem(sys.modules, "tvm_patdnn.library.load_vm", None)
    with pytest.raises(LibraryError, match="model.so: is of the kind that needs TVM .*; install"):
        load(of_the_vm)


def test_threads_of_both_kinds(of_the_vm):
    for path in (of_the_vm, standalone_library()):
        assert (load(path, num_threads=1).run(inputs())["y"] == load(path).run(inputs())["y"]).all()


def test_weights_are_read_on_request(tmp_path):
    sealed = check_seal(standalone_library())
    damaged = bytearray(standalone_library().read_bytes())
    damaged[sealed.weights] ^= 1
    (tmp_path / "net.so").write_bytes(damaged)
    load(tmp_path / "net.so")
    with pytest.raises(LibraryError, match="net.so: is damaged"):
        load(tmp_path / "net.so", check_weights=True)


def test_no_file(tmp_path):
    with pytest.raises(LibraryError, match="none.so: cannot be read: No such file or directory"):
        load(tmp_path / "none.so")
