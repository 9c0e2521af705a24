import json

import numpy as np
import pytest

from tests.built import inputs, pruned_network
from tests.gpu.opencl import require_opencl
from tests.gpu.opencl_device import OpenClDevice
from tvm_patdnn.bench.gpu.build_networks import expected_outputs
from tvm_patdnn.bench.gpu.network_program import PROGRAM, WEIGHTS, NetworkProgram
from tvm_patdnn.bench.gpu.race_networks import EXPECTED, check
from tvm_patdnn.bench.gpu.write_network import write_network
from tvm_patdnn.builder import source_model
from tvm_patdnn.compilation import Request
from tvm_patdnn.standalone.write_folder import compile_device_program


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    source = source_model(Request(onnx_model=pruned_network(), target="opencl"))
    path = tmp_path_factory.mktemp("networks") / "net"
    write_network(compile_device_program(source), source.metadata, path, network="net")
    np.savez_compressed(path / EXPECTED, allow_pickle=False, **expected_outputs(pruned_network()))
    return path


def test_a_folder_runs_without_what_wrote_it(folder):
    require_opencl()
    program = NetworkProgram(folder, OpenClDevice())
    assert program.facts["network"] == "net"
    assert check(program, folder / EXPECTED) < 1e-5
    program.give(inputs())
    program.launch()
    (first,) = program.take().values()
    program.give({"x": 2 * inputs()["x"]})
    program.launch()
    (second,) = program.take().values()
    assert first.shape == (1, 8, 16, 16)
    np.testing.assert_allclose(second, 2 * first, rtol=1e-4, atol=1e-4)  # ReLU, no bias


def test_a_wrong_weight_is_seen(folder, tmp_path):
    require_opencl()
    import lzma

    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = np.frombuffer(lzma.decompress((folder / WEIGHTS).read_bytes()), np.float32).copy()
    facts = json.loads((folder / PROGRAM).read_text())
    offsets = [a[1] for launch in facts["launches"] for a in launch["arguments"] if a[0] != "arena"]
    for offset in offsets:  # of each array the first number, unless it is no weight
        if 1e-3 < abs(weights[offset // 4]) < 1e3:
            weights[offset // 4] += 1
    (tmp_path / WEIGHTS).write_bytes(lzma.compress(weights.tobytes()))
    assert check(NetworkProgram(tmp_path, OpenClDevice()), folder / EXPECTED) > 1e-3
