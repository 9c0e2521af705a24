"""The server for boards without Python, compiled for this machine."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import tvm
import tvm_ffi

import tvm_patdnn.device
from tests.built import inputs, library, require_linker
from tests.device.servers import free_port, tracking, wait_until
from tvm_patdnn.device.address import DeviceAddress
from tvm_patdnn.device.connect import connect, free_devices
from tvm_patdnn.device.device import Device
from tvm_patdnn.device.device_facts import facts_of
from tvm_patdnn.device.tracker import find_device
from tvm_patdnn.errors import DeviceError
from tvm_patdnn.machine.host_cpu import host_caches

SOURCES = Path(tvm_patdnn.device.__file__).parent / "cpp"
WHEELS = Path(tvm.__file__).parents[1]
LIBRARIES = (Path(tvm.__file__).parent / "lib", Path(tvm_ffi.__file__).parent / "lib")


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Path:
    if shutil.which("cmake") is None or shutil.which("c++") is None:
        pytest.skip("no cmake or no C++ compiler: apt-get install cmake g++")
    folder = tmp_path_factory.mktemp("server")
    run("cmake", "-S", SOURCES, "-B", folder, f"-DTVM_WHEELS={WHEELS}")
    run("cmake", "--build", folder)
    return folder / "tvm-patdnn-server"


@pytest.fixture
def address(program):
    with server(program) as found:
        yield found


@contextmanager
def server(program, tracker: DeviceAddress | None = None):
    found = DeviceAddress(host="127.0.0.1", port=free_port(), key="pi")
    process = subprocess.Popen(
        [program, found.host, str(found.port), found.key]
        + ([tracker.host, str(tracker.port)] if tracker else []),
        env={"LD_LIBRARY_PATH": ":".join(map(str, LIBRARIES)), "PATH": "/usr/bin:/bin"},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert "serving on 127.0.0.1" in process.stderr.readline()
        if tracker:
            assert process.stderr.readline() == "tvm-patdnn-server: known to the tracker\n"
        yield found
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def run(*words: object) -> None:
    subprocess.run([str(word) for word in words], check=True, capture_output=True)


def test_it_says_what_it_runs_on(address):
    facts = Device(address).facts
    assert tvm.__version__.startswith(facts.tvm)
    assert facts.cores >= 1
    assert facts.caches == host_caches()
    assert facts.target["mtriple"] == f"{facts.machine}-linux-gnu"


def test_it_runs_models_one_client_after_the_other(address):
    require_linker(library())
    for _ in range(2):
        session = connect(address, wait_s=20)
        model = library().on_device(session)
        assert (model.run(inputs())["y"] == library().run(inputs())["y"]).all()
        assert min(model.time(inputs(), repeats=2)) > 0
        times = model.time_layers(inputs())
        assert list(times) == ["conv1", "conv2", "others"]
        assert min(times.values()) > 0
        del model, session


def test_it_outlives_sessions_that_do_not_end_well(address):
    session = connect(address)
    with pytest.raises(Exception, match="."):
        session.load_module("nothing.so")
    del session
    with pytest.raises(DeviceError, match="has another key than 'po'"):
        connect(replace(address, key="po"))
    with socket.create_connection((address.host, address.port)) as other:
        other.sendall(b"GET / HTTP/1.1\r\n\r\n")
    time.sleep(0.1)
    assert connect(address, wait_s=20)


def test_trackers_hand_it_out_to_one_client_after_the_other(program):
    with tracking("pi") as tracker, server(program, tracker) as own:
        for _ in range(2):
            session = connect(tracker, wait_s=30)
            assert free_devices(tracker) == 0
            assert facts_of(session).cores >= 1
            del session
        with pytest.raises(DeviceError, match="has another key than 'pi'"):
            connect(own)


def test_who_took_it_and_did_not_come_does_not_keep_it(program):
    with tracking("pi") as tracker, server(program, tracker):
        wait_until(lambda: free_devices(tracker) == 1)
        taken = find_device(tracker)
        assert taken.key.startswith("pi:")
        assert connect(tracker, wait_s=60)


@pytest.mark.parametrize("words", [[], ["127.0.0.1"], ["127.0.0.1", "9090", "pi", "127.0.0.1"]])
def test_usage(program, words):
    done = subprocess.run(
        [program, *words],
        env={"LD_LIBRARY_PATH": ":".join(map(str, LIBRARIES))},
        capture_output=True,
        text=True,
        check=False,
    )
    usage = "usage: tvm-patdnn-server HOST PORT [KEY [TRACKER_HOST TRACKER_PORT]]\n"
    assert (done.returncode, done.stderr) == (2, usage)


def test_wheels_that_are_not_there(tmp_path):
    if shutil.which("cmake") is None:
        pytest.skip("no cmake: apt-get install cmake")
    done = subprocess.run(
        ["cmake", "-S", SOURCES, "-B", tmp_path, "-DTVM_WHEELS=/none"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "TVM_WHEELS='/none'" in done.stderr
