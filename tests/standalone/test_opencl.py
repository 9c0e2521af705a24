"""Whole models through the C host, on whatever OpenCL device there is."""

import re
from contextlib import nullcontext
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from onnx import helper

import tvm_patdnn
from tests.built import inputs, pruned_network, require_linker
from tests.gpu.networks import many_operators
from tests.gpu.opencl import require_opencl
from tests.onnx_models import model_of
from tests.standalone.programs import WARNINGS, compile_program, flag, run
from tvm_patdnn.errors import BuildError, LibraryError


@cache
def library():
    return tvm_patdnn.build(pruned_network(), "opencl", lazy=True)


@pytest.fixture(autouse=True)
def _cache(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture
def folder(tmp_path):
    require_linker(library())
    library().export_standalone(tmp_path / "net.so", "net")
    return tmp_path


def reference(model, arrays):
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, arrays)


def assert_same(found, model, arrays):
    for got, expected in zip(found.values(), reference(model, arrays), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)


def test_a_pruned_network(folder):
    require_opencl()
    model = tvm_patdnn.load(folder / "net.so")
    assert_same(model.run(inputs()), pruned_network(), inputs())
    assert [row.name for row in model.metadata.layers] == ["conv1", "conv2"]
    assert len(model.time(inputs(), repeats=2)) == 2


def test_a_driver_that_compiles_for_long_is_waited_for_aloud(folder, monkeypatch, tmp_path):
    require_opencl()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    begun = []
    monkeypatch.setattr(
        "tvm_patdnn.library.standalone_model.said_if_slow",
        lambda text: begun.append(text) or nullcontext(),
    )
    tvm_patdnn.load(folder / "net.so")
    assert begun == [
        f"{folder}/net.so: the GPU's driver compiles the kernels (the next time it is read from "
        f"{tmp_path}/cache/tvm-patdnn/opencl)"
    ]


@pytest.mark.parametrize("device", ["adreno", "mali"])
def test_kernels_for_a_phone(device):
    """On whatever device there is: what a phone's driver makes of them is not seen."""
    require_opencl()
    built = tvm_patdnn.build(pruned_network(), f"{device} -host=native", lazy=True)
    assert_same(built.run(inputs()), pruned_network(), inputs())


def test_a_network_of_many_operators():
    require_opencl()
    random = np.random.default_rng(1)
    arrays = {
        "x": random.standard_normal((2, 3, 30, 26), np.float32),
        "extra": random.standard_normal((2, 2, 8, 7), np.float32),
    }
    found = tvm_patdnn.build(many_operators(), "opencl", lazy=True).run(arrays)
    assert_same(found, many_operators(), arrays)


def test_outputs_that_are_inputs_or_constants_are_copied():
    require_opencl()
    nodes = [
        helper.make_node("Identity", ["x"], ["same"]),
        helper.make_node("Identity", ["w"], ["constant"]),
        helper.make_node("Conv", ["x", "w"], ["y"], name="c"),
    ]
    weight = np.ones((2, 3, 3, 3), np.float32)
    outputs = ("same", "constant", "y")
    model = model_of(nodes, inputs={"x": (1, 3, 5, 5)}, outputs=outputs, weights={"w": weight})
    arrays = {"x": np.random.default_rng(2).standard_normal((1, 3, 5, 5), np.float32)}
    assert_same(tvm_patdnn.build(model, "opencl", lazy=True).run(arrays), model, arrays)


def test_a_c_program(folder):
    require_opencl()
    source = Path(__file__).with_name("opencl_interface.c")
    kept = folder / "kept"
    kept.mkdir()
    program = compile_program(folder, source, "./net.so", f"-Wl,-rpath,{folder}")
    lines = [float(line) for line in run([program, kept], folder).split()]
    (file,) = kept.iterdir()
    x = ((np.arange(3 * 256) % 13) - 6).astype(np.float32).reshape(1, 3, 16, 16)
    (expected,) = reference(pruned_network(), {"x": x})
    np.testing.assert_allclose(lines, expected.reshape(-1), rtol=1e-4, atol=1e-4)
    whole = file.read_bytes()
    for damaged in (b"", whole[:100], whole[:-9], whole[:-9] + bytes(9)):
        file.write_bytes(damaged)
        assert [float(line) for line in run([program, kept], folder).split()] == lines
        assert file.read_bytes()[:512] == whole[:512]  # compiled and kept anew


@pytest.mark.parametrize("target", ["opencl", "adreno", "mali"])
def test_the_sources_are_clean_and_need_no_opencl_to_be_built(target, tmp_path):
    built = tvm_patdnn.build(pruned_network(), target, lazy=True)
    built.export_standalone(tmp_path / "src", "net")
    files = sorted(file.name for file in (tmp_path / "src").iterdir())
    assert files == ["CMakeLists.txt", "net.c", "net.h", "runtime.c", "weights.bin"]
    line = [flag("cc"), "-std=c11", *WARNINGS, "-Wno-overlength-strings", "-c", "net.c"]
    run([*line, "-o", "net.o"], tmp_path / "src")
    assert "#include <CL" not in (tmp_path / "src" / "runtime.c").read_text()


def test_a_folder_is_built_by_cmake(tmp_path):
    library().export_standalone(tmp_path / "src", "net")
    run([flag("cmake"), "-S", tmp_path / "src", "-B", tmp_path / "out"], tmp_path)
    run(["cmake", "--build", tmp_path / "out"], tmp_path)
    assert (tmp_path / "out" / "libnet.a").exists()


def test_without_a_driver(folder, monkeypatch):
    require_linker(library())
    text = (library_source(folder) / "runtime.c").read_text()
    broken = re.sub(r'"[^"\n]*\.so[.1]*",\n', "", text)
    (folder / "src" / "runtime.c").write_text(
        broken.replace("libraries[] = {", 'libraries[] = {"/none",')
    )
    program = folder / "without.c"
    program.write_text(
        '#include "net.h"\n#include <stdio.h>\n'
        "int main(void) { net_instance *m; int code = net_create(&m, NULL);\n"
        '  printf("%d %s", code == net_no_driver && m == NULL, net_error(code)); return 0; }\n'
    )
    line = ["cc", "-std=c11", "-I", "src", "without.c", "src/net.c", '-DWEIGHTS="src/weights.bin"']
    run([*line, "-ldl", "-lpthread", "-o", "without"], folder)
    said = run([folder / "without"], folder)
    assert said.startswith("1 found no OpenCL driver (libOpenCL.so); install the device's")


def library_source(folder):
    library().export_standalone(folder / "src", "net")
    return folder / "src"


def test_kernels_that_the_driver_does_not_compile(folder):
    require_opencl()
    source = library_source(folder)
    weights = (source / "weights.bin").read_bytes()
    (source / "weights.bin").write_bytes(weights.replace(b"__kernel void", b"__kernel vxid"))
    program = folder / "broken.c"
    program.write_text(
        '#include "net.h"\n#include <stdio.h>\n'
        "int main(void) { net_instance *m; int code = net_create(&m, NULL);\n"
        '  printf("%d %s|%s", code == net_no_program, net_error(code), net_details()); return 0; }'
    )
    line = ["cc", "-std=c11", "-I", "src", "broken.c", "src/net.c", '-DWEIGHTS="src/weights.bin"']
    run([*line, "-ldl", "-lpthread", "-o", "broken"], folder)
    said = run([folder / "broken"], folder)
    assert said.startswith("1 the OpenCL driver does not compile the kernels|")
    assert "error" in said


def test_threads_are_checked_like_those_of_a_cpu(folder):
    require_opencl()
    with pytest.raises(LibraryError):
        tvm_patdnn.load(folder / "net.so", num_threads=-1)


@pytest.mark.parametrize("target", ["cuda -arch=sm_80", "metal"])
def test_other_gpus_are_reached_by_tvm(target, tmp_path):
    built = tvm_patdnn.build(pruned_network(), target, lazy=True)
    with pytest.raises(
        BuildError, match=r"standalone: a GPU is reached by OpenCL, not by (cuda|metal)"
    ):
        built.export_standalone(tmp_path / "net.so")
