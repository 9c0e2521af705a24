"""The server for boards without Python on an emulated AArch64: models are tuned and run there."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import onnx
import pytest

import tvm_patdnn
import tvm_patdnn.device
from tests.aarch64 import emulated_device
from tests.built import inputs, library, pruned_network
from tests.device.servers import free_port
from tvm_patdnn.cli import main
from tvm_patdnn.records.record_files import read_log

SOURCE = Path(tvm_patdnn.device.__file__).parent / "cpp" / "server.cc"
TARGET = "raspberry-pi-4 -num-cores=1"


@pytest.fixture
def device(tmp_path):
    for tool in (emulated_device.COMPILER, emulated_device.EMULATOR):
        if shutil.which(tool) is None:
            pytest.skip(f"no {tool}: apt-get install g++-aarch64-linux-gnu qemu-user-static")
    pytest.importorskip("cloudpickle")
    libraries = emulated_device._runtime_libraries()
    program = tmp_path / "server"
    includes = [f"-I{path}" for path in emulated_device._include_folders()]
    links = [f"-L{libraries}", "-ltvm_runtime", "-ltvm_runtime_extra", "-ltvm_ffi"]
    command = [emulated_device.COMPILER, "-std=c++17", "-O1", *includes, SOURCE, "-o", program]
    command += ["-Wl,--no-as-needed", *links, f"-Wl,-rpath,{libraries}"]
    subprocess.run(command, check=True)
    port = free_port()
    emulator = [emulated_device.EMULATOR, "-cpu", "cortex-a72", "-L", emulated_device.SYSROOT]
    process = subprocess.Popen(
        [*emulator, program, "127.0.0.1", str(port)], stderr=subprocess.PIPE, text=True
    )
    assert "serving on" in process.stderr.readline()
    yield f"127.0.0.1:{port}"
    process.kill()
    process.wait()
    process.stderr.close()


def test_run_tune_and_build(device, tmp_path, capsys):
    onnx.save(pruned_network(), tmp_path / "pruned.onnx")
    log = tmp_path / "log"
    words = ["tune", tmp_path / "pruned.onnx", "--target", TARGET, "--device", device, "--json"]
    words += ["--trials", 8, "--search", "random", "--log", log]
    assert main([str(word) for word in words]) == 0
    tuned = json.loads(capsys.readouterr().out)
    assert tuned["trials"] == 8
    records = list(read_log(log))
    assert {record.key.cpu for record in records} == {"cortex-a72"}
    assert all(record.seconds or record.chosen for record in records)  # no trial failed

    built = tvm_patdnn.build(pruned_network(), TARGET, logs=log)
    assert all("as measured" in layer.reason for layer in built.report)
    found = built.on_device(device).run(inputs())["y"]
    expected = library().run(inputs())["y"]
    assert abs(found - expected).max() < 1e-4 * abs(expected).max()
