import json
import lzma

import numpy as np
import pytest
import torch

from models import race_gpu
from tests.bench.gpu import made_cupy
from tvm_patdnn.bench.gpu import race_networks as race
from tvm_patdnn.bench.gpu.cupy_device import CupyDevice
from tvm_patdnn.bench.gpu.device import torchs_machine
from tvm_patdnn.bench.gpu.network_program import BINARY, PROGRAM, WEIGHTS
from tvm_patdnn.bench.gpu.race_networks import EXPECTED, made_inputs, ours, torch_rows


def scale(grid, block, weights, source, target):
    assert (grid, block) == ((2, 1, 1), (4, 1, 1))
    factor = weights[:4].view(np.float32)[0]
    target[:32] = (source[:32].view(np.float32) * factor).view(np.uint8)


@pytest.fixture
def folder(tmp_path):
    """A network of one kernel, which doubles 8 numbers."""
    made = tmp_path / "net"
    made.mkdir()
    described = {
        "network": "net",
        "variant": "blocks",
        "batch": 1,
        "storage": "float32",
        "arena": 1024,
        "inputs": [{"name": "x", "shape": [8], "dtype": "float32", "offset": 0}],
        "outputs": [{"name": "y", "shape": [8], "dtype": "float32", "offset": 512}],
        "launches": [
            {
                "kernel": "scale",
                "grid": [2, 1, 1],
                "block": [4, 1, 1],
                "shared": 0,
                "arguments": [["weights", 0], ["arena", 0], ["arena", 512]],
            }
        ],
    }
    (made / PROGRAM).write_text(json.dumps(described))
    (made / BINARY).write_bytes(b"\x7fELF")
    (made / WEIGHTS).write_bytes(lzma.compress(np.float32(2).tobytes()))
    np.savez(made / EXPECTED, y=2 * made_inputs({"x": (8,)})["x"])
    return tmp_path


def test_a_network_is_checked_and_timed_launch_by_launch_and_as_a_graph(folder, monkeypatch):
    made_cupy.install(monkeypatch, {"scale": scale})
    one, graph = ours(folder / "net", CupyDevice())
    assert (one["launch"], graph["launch"]) == ("one by one", "graph")
    assert (one["error"], one["us"], graph["us"]) == (0.0, 1000.0, 1000.0)
    assert (one["network"], one["variant"], one["system"]) == ("net", "blocks", "patdnn")


def test_a_wrong_result_is_in_the_row(folder, monkeypatch):
    made_cupy.install(monkeypatch, {"scale": lambda *args: scale(*args[:-1], args[-1][4:])})
    assert next(ours(folder / "net", CupyDevice()))["error"] > 0.1


def test_torch_computes_in_several_ways(monkeypatch):
    monkeypatch.setattr(race, "_graph", lambda torch, network, data: lambda: None)
    monkeypatch.setattr(race, "_seconds", lambda torch, launch: 1e-3)
    monkeypatch.setattr(torch.nn.Module, "to", lambda self, *_, **__: self)
    monkeypatch.setattr(torch, "randn", lambda *_, **__: torch.zeros(1, 3, 4, 4))
    found = list(torch_rows("net", torch.nn.Conv2d(3, 4, 3), (1, 3, 4, 4)))
    ways = [(row["storage"], row["tf32"], row["layout"]) for row in found]
    assert ways == list(race.WAYS)
    assert {row["us"] for row in found} == {1000.0}


def rows_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_failure_is_a_row_and_ends_its_process(folder, tmp_path, monkeypatch, capsys):
    made_cupy.install(monkeypatch, {})
    monkeypatch.setattr(race_gpu, "torch_rows", lambda name, network, shape: [{"network": name}])
    out, net = tmp_path / "rows.jsonl", str(folder / "net")
    with pytest.raises(SystemExit, match="1"):
        race_gpu.main([str(folder), "-o", str(out), "--only", net, "torch:resnet18:1"])
    machine = torchs_machine(torch)
    assert rows_of(out) == [machine | {"work": net, "failed": "KeyError: 'scale'"}]
    with pytest.raises(SystemExit, match="0"):
        race_gpu.main([str(folder), "-o", str(out), "--only", "torch:resnet18:1"])
    assert rows_of(out)[1:] == [machine | {"network": "resnet18"}]
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == rows_of(out)


def test_the_next_process_goes_on_behind_a_failure(folder, tmp_path, monkeypatch):
    asked = []

    def stand_in(line, check):
        works = line[line.index("--only") + 1 :]
        asked.append(works)
        (tmp_path / "rows.begun").write_text(works[0])
        return race_gpu.subprocess.CompletedProcess(line, int(works[0].startswith("torch:vgg16")))

    monkeypatch.setattr(race_gpu.subprocess, "run", stand_in)
    out, words = tmp_path / "rows.jsonl", ["--network", "vgg16", "--network", "resnet18"]
    race_gpu.main([str(tmp_path / "none"), "-o", str(out), *words, "--batch", "8"])
    assert asked == [["torch:vgg16:8", "torch:resnet18:8"], ["torch:resnet18:8"]]
