import os
import re
import resource
import subprocess
import sys

import numpy as np
import pytest
from onnx import helper

import tvm_patdnn
from tests.built import library, require_linker
from tests.onnx_models import model_of
from tvm_patdnn.errors import BuildError
from tvm_patdnn.library.constant_file import constant_file

FILE = constant_file("x86_64-linux-gnu")
pytestmark = pytest.mark.skipif(FILE is None, reason="no files in memory on this system")


def test_arrays_are_aligned():
    file = constant_file("aarch64-linux-gnu")
    assert [file.add(np.ones(count, "uint8")) for count in (1, 64, 65, 3)] == [0, 64, 128, 256]
    assert file.size == 259
    strided = np.arange(12, dtype="int16").reshape(3, 4).T
    start = file.add(strided)
    with open(file.path, "rb") as stored:
        assert stored.read()[start:] == strided.tobytes()


@pytest.mark.parametrize("dtype", ["float16", "int64", "bool", "float64", "uint8"])
def test_arrays_of_any_type_and_shape(dtype):
    file, array = constant_file("x86_64-linux-gnu"), np.ones((), dtype)
    file.add(array)
    with open(file.path, "rb") as stored:
        assert stored.read() == array.tobytes()


@pytest.mark.parametrize("triple", ["arm64-apple-darwin", "x86_64-pc-windows-msvc"])
def test_other_file_formats_have_none(triple):
    assert constant_file(triple) is None


def test_no_space():
    file, limits = constant_file("x86_64-linux-gnu"), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, limits[1]))
    try:
        with pytest.raises(BuildError, match="cannot be held in memory: File too large; free mem"):
            file.add(np.zeros(1 << 17, "uint8"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_library_holds_its_weights_once(tmp_path):
    """In a process of its own, as its peak is what counts: the file, mapped, and little else."""
    require_linker(library())
    weight = np.random.default_rng(0).standard_normal((4096, 4096), np.float32)
    node = helper.make_node("Gemm", ["x", "w"], ["y"], name="fc", transB=1)
    model = model_of([node], inputs={"x": (1, 4096)}, weights={"w": weight})
    path = tmp_path / "model.so"
    tvm_patdnn.build(model).export_library(path)
    code = """
import sys
from tvm_patdnn.bench.systems.tvm_library import import_runtime, load_library
from tvm_patdnn.bench.worker_host import peak_rss
import_runtime()
import numpy as np
inputs = {"x": np.ones((1, 4096), "float32")}
before = peak_rss()
loaded = load_library(sys.argv[1], None, inputs)
loaded.run()
print(peak_rss() - before)
"""
    words = [sys.executable, "-c", code, path]
    environment = {**os.environ, "TVM_USE_RUNTIME_LIB": "1"}
    done = subprocess.run(words, capture_output=True, text=True, check=True, env=environment)
    taken = int(re.search(r"\d+", done.stdout)[0])
    assert taken < 1.3 * path.stat().st_size
