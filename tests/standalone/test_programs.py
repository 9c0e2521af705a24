"""Programs in C and C++ around a model, in each form in which it is written."""

import json
import subprocess
import sys
from functools import cache

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper
from PIL import Image

import tvm_patdnn
from tests.built import inputs, library, require_linker
from tests.onnx_models import model_of
from tests.standalone.programs import (
    EXAMPLES,
    ROOT,
    compile_program,
    flag,
    kernels,
    run,
    shipped,
    write_picture,
)
from tvm_patdnn.bench.deployment import allowed_kib
from tvm_patdnn.library.image_facts import image_facts

DEPLOYED = ROOT / "tvm_patdnn" / "bench" / "deployed.c"
INTERFACE = ROOT / "tests" / "standalone" / "interface.c"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Holds the test's network as net.so, net.a, net.o and the folder net, and its numbers."""
    require_linker(library())
    made = tmp_path_factory.mktemp("forms")
    for form in ("net.so", "net.a", "net.o", "net"):
        library().export_standalone(made / form, "net")
    (made / "x.bin").write_bytes(inputs()["x"].tobytes())
    (made / "y.bin").write_bytes(library().run(inputs())["y"].tobytes())
    return made


@pytest.mark.parametrize("form", ["net.a", "net.o", "net.so"])
def test_the_whole_interface(folder, form):
    program = compile_program(folder, INTERFACE, form, f"-Wl,-rpath,{folder}")
    assert run([program, "x.bin", "y.bin"], folder) == "ok\n"


def test_a_static_program(folder):
    program = compile_program(folder, INTERFACE, "net.a", "-static")
    assert run([program, "x.bin", "y.bin"], folder) == "ok\n"


def test_the_folder_by_hand(folder):
    flags = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-pedantic"]
    run([flag("cc"), *flags, "-c", "net.c", "-o", "net_c.o"], folder / "net")
    program = compile_program(folder, INTERFACE, "net/net_c.o", *kernels(folder / "net"))
    assert run([program, "x.bin", "y.bin"], folder) == "ok\n"


def test_only_the_interface_is_exported(folder):
    symbols = run([flag("nm"), "-D", "--defined-only", "net.so"], folder).split()[2::3]
    names = ["about", "create", "destroy", "error", "input", "memory", "output", "run", "version"]
    assert sorted(symbols) == [f"net_{name}" for name in names]


@pytest.mark.parametrize("standard", ["c99", "c++98", "c++20"])
def test_the_header_is_clean(folder, standard):
    language = "c++" if "++" in standard else "c"
    (folder / "only.c").write_text('#include "net.h"\nint main(void) { return net_inputs - 1; }\n')
    warnings = ["-Wall", "-Wextra", "-Werror", "-pedantic", "-Wno-long-long"]
    line = [flag("c++"), "-x", language, f"-std={standard}", *warnings, "-fsyntax-only", "only.c"]
    run(line, folder)


def test_two_models_in_one_program(folder):
    shipped().export_standalone(folder / "vgg.a", "vgg")
    (folder / "two.c").write_text(
        '#include "net.h"\n#include "vgg.h"\n#include <stdio.h>\n'
        "int main(void) {\n"
        "  static float x[3072], a[2048], b[10];\n"
        "  net_instance *net; vgg_instance *vgg;\n"
        "  const void *in[] = {x}; void *first[] = {a}, *second[] = {b};\n"
        "  if (net_create(&net, NULL) || vgg_create(&vgg, NULL)) return 1;\n"
        "  if (net_run(net, in, first) || vgg_run(vgg, in, second)) return 2;\n"
        '  printf("%.9g\\n", b[3]); net_destroy(net); vgg_destroy(vgg); return 0;\n}\n'
    )
    said = run([compile_program(folder, folder / "two.c", "vgg.a", "net.a")], folder)
    zeros = {"x": np.zeros((1, 3, 32, 32), np.float32)}
    assert np.float32(said) == shipped().run(zeros)["y"][0, 3]


@cache
def fully_connected() -> onnx.ModelProto:
    """A product with a matrix of 32 MB."""
    matrix = np.random.default_rng(0).standard_normal((4096, 2048), np.float32)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["p"]), helper.make_node("Relu", ["p"], ["y"])]
    return model_of(nodes, inputs={"x": (1, 4096)}, weights={"w": matrix})


@pytest.mark.parametrize("name", ["small_vgg_cifar10_pruned", "demosaic_bayer_pruned", "product"])
def test_memory_is_that_of_the_file_and_what_the_header_says(tmp_path, name):
    """And 4 MB for what any program takes; from 4 MB on the instance's is in huge pages."""
    model = fully_connected() if name == "product" else ROOT / "models" / f"{name}.onnx"
    tvm_patdnn.build(model, lazy=True).export_standalone(tmp_path / "model.a")
    program = compile_program(tmp_path, DEPLOYED, "model.a", "-static")
    for threads in ("1", "2"):
        said = json.loads(run([program, threads, "2"], tmp_path))
        assert said["peak_kib"] <= allowed_kib(program.stat().st_size, said)


def test_a_dense_matrix_is_in_the_file_once_and_nowhere_else(tmp_path):
    require_linker(library())
    lib, matrix = tvm_patdnn.build(fully_connected(), lazy=True), 4096 * 2048 * 4
    lib.export_standalone(tmp_path / "model.a")
    program = compile_program(tmp_path, DEPLOYED, "model.a", "-static")
    assert matrix < program.stat().st_size < matrix + (2 << 20)
    assert json.loads(run([program, "1", "1"], tmp_path))["peak_kib"] < matrix // 1024 + 6 * 1024
    x = np.random.default_rng(1).standard_normal((1, 4096), np.float32)
    lib.export_standalone(tmp_path / "model.so")
    (found,) = tvm_patdnn.load(tmp_path / "model.so")(x)
    session = onnxruntime.InferenceSession(fully_connected().SerializeToString())
    np.testing.assert_allclose(found, session.run(None, {"x": x})[0], rtol=1e-4, atol=1e-3)


def test_the_example_in_c(folder):
    shipped().export_standalone(folder / "model.a")
    program = compile_program(folder, EXAMPLES / "classify.c", "model.a")
    pixels = write_picture(folder / "noise.ppm")
    assert run([program, "noise.ppm"], folder) == f"{_class_of(pixels)}\n"
    assert subprocess.run([program, "none"], capture_output=True).returncode == 1


def test_the_example_in_cpp_by_cmake(folder):
    flag("cmake")
    shipped().export_standalone(folder / "model")
    line = ["cmake", "-S", EXAMPLES / "cmake", "-B", "build", f"-DMODEL={folder / 'model'}"]
    run(line, folder)
    run(["cmake", "--build", "build"], folder)
    x = np.random.default_rng(0).standard_normal((1, 3, 32, 32)).astype(np.float32)
    (folder / "image.bin").write_bytes(x.tobytes())
    said = run(["build/with_model", "2", "image.bin", "scores.bin"], folder)
    assert said == "y: 40 bytes\n"
    scores = np.frombuffer((folder / "scores.bin").read_bytes(), np.float32)
    assert (scores == shipped().run({"x": x})["y"][0]).all()
    pixels = write_picture(folder / "noise.ppm")
    assert run(["build/classify", "noise.ppm"], folder) == f"{_class_of(pixels)}\n"


def test_cmake_finds_damage(folder):
    flag("cmake")
    library().export_standalone(folder / "damaged", "net")
    weights = bytearray((folder / "damaged" / "weights.bin").read_bytes())
    weights[70] ^= 1
    (folder / "damaged" / "weights.bin").write_bytes(weights)
    line = ["cmake", "-S", "damaged", "-B", "damaged_build"]
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True)
    assert done.returncode != 0
    assert "weights.bin is not the file that tvm-patdnn wrote" in " ".join(done.stderr.split())


def test_damaged_weights_are_found_when_asked_for(folder):
    """In a program of which they are part, where no file is checked."""
    library().export_standalone(folder / "changed", "net")
    weights = bytearray((folder / "changed" / "weights.bin").read_bytes())
    weights[70] ^= 1
    (folder / "changed" / "weights.bin").write_bytes(weights)
    run([flag("cc"), "-std=c11", "-c", "net.c", "-o", "net_c.o"], folder / "changed")
    (folder / "asks.c").write_text(
        '#include "net.h"\n#include <stdio.h>\n'
        "int main(void) {\n"
        "  net_instance *net; net_options options = {1, 1, NULL, 0};\n"
        "  puts(net_error(net_create(&net, &options))); return net != NULL;\n}\n"
    )
    program = compile_program(
        folder, folder / "asks.c", "changed/net_c.o", *kernels(folder / "changed")
    )
    assert run([program], folder) == "the weights are not those that were compiled\n"


def test_the_example_in_python(folder):
    shipped().export_standalone(folder / "model.so")
    pixels = np.random.default_rng(3).integers(0, 256, (32, 32, 3), np.uint8)
    Image.fromarray(pixels).save(folder / "noise.png")
    line = [sys.executable, EXAMPLES / "classify.py", "model.so", "noise.png"]
    assert json.loads(run(line, folder))["class"] == _class_of(pixels)


def _class_of(pixels):
    facts = image_facts(shipped().metadata.properties)
    image = (pixels / 255 - np.array(facts.mean)) / np.array(facts.std)
    scores = shipped().run({"x": image.transpose(2, 0, 1)[None].astype(np.float32)})["y"]
    return facts.classes[int(scores.argmax())]


def test_the_shipped_network_says_what_its_images_are():
    facts = image_facts(shipped().metadata.properties)
    assert len(facts.mean) == 3
    assert facts.classes[3] == "cat"
    assert isinstance(shipped(), tvm_patdnn.Library)
