"""Commands that use a device: a real server on this machine."""

from __future__ import annotations

import json
import platform
import re
import threading
import time

import pytest

from tests.built import (
    FOREIGN_TARGET,
    foreign_library,
    inputs,
    library,
    require_linker,
    standalone_library,
)
from tests.device.servers import free_port, kill, serving
from tvm_patdnn.errors import DeviceError
from tvm_patdnn.machine.host_cpu import host_caches, host_cpu
from tvm_patdnn.records.record_files import read_log
from tvm_patdnn.targets import preset_names
from tvm_patdnn.tuning import tune as module

pytest.importorskip("cloudpickle")
pytest.importorskip("psutil")


@pytest.fixture(scope="module")
def server():
    with serving(key="") as found:
        yield found


@pytest.fixture
def device(server):
    return f"{server[0].host}:{server[0].port}"


def test_run(files, device, printed):
    words = ("run", files / "model.so", "--input", f"x={files / 'x.npy'}", "--json")
    here = json.loads(printed(*words))
    there = json.loads(printed(*words, "--device", device, "--repeats", "2", "--threads", "1"))
    assert there["outputs"] == here["outputs"]


def test_a_library_in_python(device):
    require_linker(library())
    model = library().on_device(device)
    assert (model.run(inputs())["y"] == library().run(inputs())["y"]).all()


def test_libraries_that_do_not_run_there(device, failing):
    said = failing("run", standalone_library(), "--device", device)
    assert "is standalone, and devices run libraries of TVM's virtual machine; build it" in said
    with pytest.raises(DeviceError, match="is built for .*, the device is "):
        foreign_library().on_device(device)


def test_inspect_says_what_the_device_is_and_times_each_layer(files, device, printed):
    words = ("inspect", files / "pruned.onnx", "--device", device)
    told = json.loads(printed(*words, "--json"))
    assert [layer["name"] for layer in told["layers"]] == ["conv1", "conv2"]
    assert list(told["seconds"]) == ["conv1", "conv2", "others"]
    assert told["device"]["target"]["mcpu"] == host_cpu()
    assert told["device"]["caches"] == list(host_caches())
    text = printed(*words)
    assert f"on the device ({platform.machine()}, {host_cpu()}, " in text
    assert re.search(r"\nconv2 +\d+\.\d{3} ms +\d+%\n", text)
    assert re.search(r"\nsum +\d+\.\d{3} ms +100%", text)


def test_inspect_for_another_target_than_the_device_is(files, device, failing):
    words = ("--target", FOREIGN_TARGET, "--device", device)
    assert "the device is " in failing("inspect", files / "pruned.onnx", *words)


def test_bench(files, device, printed, tmp_path):
    rows = tmp_path / "rows.jsonl"
    words = ("bench", files / "pruned.onnx", "--dense", files / "model.onnx", "--quick")
    where = ("--device", device, "--threads", 1, "--json", rows)
    out = printed(*words, *where, "--against", "tvm-dense,tvm-untuned")
    assert out.startswith("pruned, 1 thread: tvm-patdnn takes ")
    found = [json.loads(line) for line in rows.read_text().splitlines()]
    assert [each["system"] for each in found] == ["tvm-patdnn", "tvm-dense", "tvm-untuned"]
    for each in found:
        assert each["status"] == "ok"
        assert each["max_rel_error"] < 1e-3
        assert each["repeats"] >= 4  # one of each round at least
        assert each["ratio"] > 0
        assert host_cpu() in each["cpu"]


def test_bench_of_each_layer(files, device, printed):
    out = printed("bench", files / "pruned.onnx", "--per-layer", "--quick", "--device", device)
    assert out.splitlines()[2].split()[:4] == ["layer,", "ms", "tvm-patdnn", "tvm-dense"]


def test_what_bench_cannot_do_on_a_device(files, device, failing, misused):
    words = ("bench", files / "pruned.onnx", "--device", device)
    said = failing(*words, "--against", "onnxruntime")
    assert "'onnxruntime' does not run on a device; expected tvm-patdnn, tvm-dense, tvm-u" in said
    assert "not --sweep or --ladder" in misused(*words, "--ladder")
    said = misused("bench", files / "pruned.onnx", "--logs", "x")
    assert "--logs and --target belong to --device" in said


def test_tune_and_build(files, device, tmp_path, capsys, printed):
    words = ["tune", files / "pruned.onnx", "--device", device, "--trials", 8, "--json"]
    log = tmp_path / "log"
    assert run(*words, "--search", "random", "--log", log) == 0
    tuned = json.loads(capsys.readouterr().out)
    assert tuned["trials"] == 8
    assert all(record.seconds or record.chosen for record in read_log(log))  # no trial failed
    told = printed("inspect", files / "pruned.onnx", "--device", device, "--logs", log, "--json")
    assert all("as measured" in layer["reason"] for layer in json.loads(told)["layers"])


def test_a_device_that_dies_while_tuning(files, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(module, "WAIT_S", 1.0)
    log = tmp_path / "log"
    with serving() as (address, process):
        words = ("--device", f"{address.host}:{address.port}", "--search", "random", "--log", log)
        killer = threading.Thread(target=kill_when_measured, args=(log, process))
        killer.start()
        assert run("tune", files / "pruned.onnx", *words) == 1
        said = capsys.readouterr().err.splitlines()[-1]
        killer.join()
    assert "nobody is there" in said
    measured = len(list(read_log(log)))
    assert measured >= 1
    with serving(port=address.port):
        more = ("--trials", measured + 4)
        assert run("tune", files / "pruned.onnx", *words, *more) == 0
    assert len(list(read_log(log))) > measured


def test_errors(files, failing, misused):
    path = files / "model.so"
    assert "nobody is there" in failing("run", path, "--device", f"127.0.0.1:{free_port()}")
    assert "expected HOST:PORT" in failing("run", path, "--device", "pi")
    assert "give the --key of the devices" in failing("run", path, "--tracker", "pc:9190")
    assert "not allowed with" in misused("run", path, "--device", "a:1", "--tracker", "b:2")


def test_targets(printed):
    text = printed("targets")
    assert "raspberry-pi-4       llvm -mtriple=aarch64-linux-gnu -mcpu=cortex-a72" in text
    (adreno,) = [line for line in text.splitlines() if line.startswith("adreno")]
    assert adreno.endswith(
        " (host: llvm -mtriple=aarch64-linux-android -mcpu=generic -num-cores=4)"
    )
    assert "'cuda -arch=sm_80'" in text
    names = json.loads(printed("targets", "--json"))
    assert {"native", *names} == set(preset_names())


def run(*words: object) -> int:
    from tvm_patdnn.cli import main

    return main([str(word) for word in words])


def kill_when_measured(log, process) -> None:
    while not log.exists() or not any(read_log(log)):
        time.sleep(0.2)
    kill(process)
