import os
import threading

import numpy as np
import pytest

from tests.built import inputs, library, standalone_library
from tvm_patdnn.errors import LibraryError
from tvm_patdnn.library.seal import check_seal
from tvm_patdnn.library.standalone_model import StandaloneModel


@pytest.fixture(scope="module")
def model():
    return StandaloneModel(standalone_library(), num_threads=2)


@pytest.fixture(scope="module")
def expected():
    return library().run(inputs())["y"]


def test_what_it_says_of_itself(model):
    assert model.metadata == library().metadata
    assert list(model.report) == list(library().report)
    assert (model.inputs, model.outputs) == (model.metadata.inputs, model.metadata.outputs)
    assert model.inputs == {"x": ((1, 3, 16, 16), "float32")}
    assert model.outputs == {"y": ((1, 8, 16, 16), "float32")}
    assert repr(model).endswith("net.so: x: float32[1, 3, 16, 16] -> y: float32[1, 8, 16, 16]>")


@pytest.mark.parametrize("num_threads", [None, 1, 2, 5])
def test_outputs_are_those_of_the_other_kind_bit_by_bit(num_threads, expected):
    found = StandaloneModel(standalone_library(), num_threads).run(inputs())
    assert list(found) == ["y"]
    assert (found["y"] == expected).all()


def test_runs_are_independent(model, expected):
    first = model.run(inputs())["y"]
    zeros = model.run({"x": np.zeros((1, 3, 16, 16), "float32")})["y"]
    assert not zeros.any()
    assert (first == expected).all()


def test_strided_and_unaligned_inputs(model, expected):
    turned = np.ascontiguousarray(inputs()["x"].transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    assert (model.run({"x": turned})["y"] == expected).all()
    for offset in (4, 20):
        raw = np.zeros(turned.nbytes + offset, np.uint8)
        moved = raw[offset:].view(np.float32).reshape(turned.shape)
        moved[...] = turned
        assert (model.run({"x": moved})["y"] == expected).all()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, r"inputs: got \[\], expected \['x'\]; missing: \['x'\]; give {'x': array}$"),
        ({**inputs(), "y": 1}, r"unknown: \['y'\]; give {'x': array}$"),
        ({"x": np.zeros((1, 3, 8, 8), "float32")}, r"got float32 of shape \[1, 3, 8, 8\]"),
        ({"x": np.zeros((1, 3, 16, 16))}, r"input 'x': got float64 of shape"),
    ],
)
def test_wrong_inputs(model, given, message):
    for use in (model.run, model.time):
        with pytest.raises(LibraryError, match=message):
            use(given)


def test_time_gives_a_value_for_each_repeat(model):
    seconds = model.time(inputs(), repeats=3)
    assert len(seconds) == 3
    assert all(0 < value < 10 for value in seconds)


def test_models_in_threads_of_their_own(expected):
    wrong = []

    def work():
        mine = StandaloneModel(standalone_library(), num_threads=2)
        wrong.extend(1 for _ in range(20) if (mine.run(inputs())["y"] != expected).any())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_threads_that_share_a_model_take_turns(model, expected):
    wrong = []

    def work():
        wrong.extend(1 for _ in range(20) if (model.run(inputs())["y"] != expected).any())

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_is_told_that_the_threads_are_not_there(model):
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            model.run(inputs())
            said = "ran"
        except LibraryError as error:
            said = str(error)
        os.write(writable, said.encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(readable, 1000).endswith(b"net.so: the instance belongs to the parent process")


def test_a_damaged_file(tmp_path):
    path = tmp_path / "net.so"
    whole = standalone_library().read_bytes()
    sealed = check_seal(standalone_library())
    for length in (len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(LibraryError, match="net.so: does not end as a library does"):
            StandaloneModel(path)
    damaged = bytearray(whole)
    damaged[sealed.weights + 8] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(LibraryError, match="net.so: is damaged: its checksum"):
        StandaloneModel(path, check_weights=True)
    damaged[sealed.weights + sealed.weights_size + 100] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(LibraryError, match="net.so: is damaged: its checksum"):
        StandaloneModel(path)


def test_a_file_that_was_replaced_is_loaded_anew(tmp_path):
    path = tmp_path / "model.so"
    library().export_standalone(path, report=False)
    assert list(StandaloneModel(path).report) == []
    path.unlink()
    path.write_bytes(standalone_library().read_bytes())
    assert len(StandaloneModel(path).report) == 2


def test_impossible_threads():
    with pytest.raises(LibraryError, match="net.so: an argument is NULL or negative"):
        StandaloneModel(standalone_library(), num_threads=-1)
