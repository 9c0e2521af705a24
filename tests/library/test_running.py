import os
import re
import select
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tvm
from onnx import helper
from tvm import relax

from tests.built import inputs, library, require_linker
from tests.onnx_models import model_of
from tvm_patdnn.builder import build
from tvm_patdnn.errors import LibraryError
from tvm_patdnn.library import metadata
from tvm_patdnn.library.running import RunnableModel


@pytest.fixture(scope="module")
def model():
    return library().runnable


def test_runs_are_independent(model):
    first = model.run(inputs())["y"].copy()
    model.run({"x": np.zeros((1, 3, 16, 16), "float32")})
    assert (model.run(inputs())["y"] == first).all()


def test_strided_inputs(model):
    turned = np.ascontiguousarray(inputs()["x"].transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    assert not turned.flags.c_contiguous
    assert (model.run({"x": turned})["y"] == model.run(inputs())["y"]).all()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, r"inputs: got \[\], expected \['x'\]; missing: \['x'\]; give {'x': array}$"),
        (
            {"data": inputs()["x"]},
            r"got \['data'\], expected \['x'\]; missing: \['x'\]; unknown: \['data'\]; give {'x': ",
        ),
        ({**inputs(), "y": 1}, r"unknown: \['y'\]; give {'x': array}$"),
        (
            {"x": np.zeros((1, 3, 8, 8), "float32")},
            r"input 'x': got float32 of shape \[1, 3, 8, 8\], expected float32 of shape "
            r"\[1, 3, 16, 16\]; reshape it, or build for this shape",
        ),
        ({"x": np.zeros((1, 3, 16, 16))}, r"input 'x': got float64 of shape"),
    ],
)
def test_wrong_inputs(model, given, message):
    for use in (model.run, model.time):
        with pytest.raises(LibraryError, match=message):
            use(given)


def test_time_is_of_single_runs(model):
    """As many runs as values, and one before them."""
    runs = []

    def count(func, name, before, *_):
        if before and "conv2d" in name:
            runs.append(name)

    model.run(inputs())
    model._machine.set_instrument(count)
    try:
        seconds = model.time(inputs(), repeats=3)
        assert len(seconds) == 3
        assert all(0 < value < 10 for value in seconds)
        in_time = len(runs)
        runs.clear()
        model.run(inputs())
    finally:
        model._machine.set_instrument(lambda *_: None)
    assert in_time == 4 * len(runs) > 0


def test_threads_take_turns(model):
    given = [{"x": np.float32(i) * inputs()["x"]} for i in range(8)]
    expected = [model.run(each)["y"] for each in given]

    def use(number):
        mine = given[number % 8]
        if number % 5 == 0:
            model.time(mine, repeats=2)
        return (model.run(mine)["y"] == expected[number % 8]).all()

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(use, range(200)))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork")
@pytest.mark.parametrize("use", ["run", "time"])
def test_a_forked_process_is_told_at_once(model, use):
    model.run(inputs())
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            getattr(model, use)(inputs())
            said = "no error"
        except LibraryError as error:
            said = str(error)
        os.write(write, said.encode())
        os._exit(0)
    try:
        assert select.select([read], [], [], 30)[0], "the forked process hangs"
        assert re.match("this process was forked .*; fork before the", os.read(read, 1000).decode())
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(read)
        os.close(write)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_process_that_forks_before_it_runs(tmp_path):
    """Each of several processes may run a model that was loaded once, before they were forked."""
    require_linker(library())
    library().export_library(tmp_path / "model.so")
    np.savez(tmp_path / "data.npz", x=inputs()["x"], y=library().run(inputs())["y"])
    code = """
import os, sys, numpy, tvm_patdnn
model, data = tvm_patdnn.load(sys.argv[1]), numpy.load(sys.argv[2])
right = lambda: (model.run({"x": data["x"]})["y"] == data["y"]).all()
child = os.fork()
if child == 0:
    os._exit(0 if right() else 1)
os._exit(os.waitpid(child, 0)[1] or not right())
"""
    words = [sys.executable, "-c", code, tmp_path / "model.so", tmp_path / "data.npz"]
    assert subprocess.run(words, check=False, timeout=300).returncode == 0


def test_several_outputs_by_name():
    nodes = [
        helper.make_node("Relu", ["x"], ["positive"], name="relu"),
        helper.make_node("Neg", ["x"], ["turned"], name="neg"),
    ]
    outputs = ("turned", "positive")
    found = build(model_of(nodes, inputs={"x": (1, 4)}, outputs=outputs)).run(
        {"x": np.array([[-1, 0, 1, 2]], "float32")}
    )
    assert tuple(found) == outputs
    assert found["turned"].tolist() == [[1, 0, -1, -2]]
    assert found["positive"].tolist() == [[0, 0, 1, 2]]


def test_metadata_of_another_format(monkeypatch):
    monkeypatch.setattr(metadata, "FORMAT", metadata.FORMAT + 1)
    with pytest.raises(LibraryError, match="metadata of format 2, expected 3.; build it again"):
        RunnableModel(library()._executable)


def test_a_program_without_metadata():
    builder = relax.BlockBuilder()
    x = relax.Var("x", relax.TensorType((8,), "float32"))
    with builder.function("main", [x]):
        builder.emit_func_output(builder.emit(relax.op.nn.relu(x)))
    program = relax.build(builder.finalize(), tvm.target.Target("llvm"))
    with pytest.raises(LibraryError, match="holds no model that this version can run"):
        RunnableModel(program)
