"""Standalone models for AArch64, in all their forms, run on an emulated board without TVM."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

import tvm_patdnn
from tests.aarch64.emulated_device import COMPILER, EMULATOR, SYSROOT
from tests.standalone.programs import EXAMPLES, ROOT, flag, run, write_picture

NETWORK = ROOT / "models" / "small_vgg_cifar10_pruned.onnx"
C_COMPILER = COMPILER.replace("g++", "gcc")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    for tool in (COMPILER, EMULATOR):
        if shutil.which(tool) is None:
            pytest.skip(f"no {tool}: apt-get install g++-aarch64-linux-gnu qemu-user-static")
    made = tmp_path_factory.mktemp("board")
    data = np.random.default_rng(0).standard_normal((1, 3, 32, 32)).astype(np.float32)
    (made / "input").write_bytes(data.tobytes())
    return made


@pytest.fixture(scope="module")
def library():
    return tvm_patdnn.build(NETWORK, "raspberry-pi-4", lazy=True)


def check(program: Path, folder: Path, threads: int) -> None:
    """Runs a program on the emulated board; its outputs are ONNX Runtime's."""
    emulated = [EMULATOR, "-cpu", "cortex-a72", "-L", SYSROOT, program]
    run([*emulated, str(threads), "input", "output"], folder)
    found = np.frombuffer((folder / "output").read_bytes(), np.float32)
    data = np.frombuffer((folder / "input").read_bytes(), np.float32).reshape(1, 3, 32, 32)
    (expected,) = onnxruntime.InferenceSession(NETWORK).run(None, {"x": data})
    np.testing.assert_allclose(found, expected[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("form", "options"), [("model.so", []), ("model.a", ["-static"]), ("model.o", [])]
)
def test_a_program_with_the_library(folder, library, form, options):
    library.export_standalone(folder / form)
    program = folder / form.replace(".", "_")
    line = [COMPILER, "-std=c++17", "-O1", f"-I{folder}", EXAMPLES / "cmake" / "main.cpp", form]
    rpath = f"-Wl,-rpath,{folder}"
    run([*line, *options, "-lm", "-lpthread", rpath, "-o", program], folder)
    for threads in (1, 2):
        check(program, folder, threads)


def test_the_folder_by_cmake_with_a_cross_compiler(folder, library):
    flag("cmake")
    library.export_standalone(folder / "model")
    system = ["-DCMAKE_SYSTEM_NAME=Linux", "-DCMAKE_SYSTEM_PROCESSOR=aarch64"]
    compilers = [f"-DCMAKE_C_COMPILER={C_COMPILER}", f"-DCMAKE_CXX_COMPILER={COMPILER}"]
    line = ["cmake", "-S", EXAMPLES / "cmake", "-B", "build", f"-DMODEL={folder / 'model'}"]
    run([*line, *system, *compilers], folder)
    run(["cmake", "--build", "build"], folder)
    check(folder / "build" / "with_model", folder, 2)
    write_picture(folder / "noise.ppm")
    emulated = [EMULATOR, "-cpu", "cortex-a72", "-L", SYSROOT]
    classes = library.metadata.properties["classes"].split(",")
    assert run([*emulated, "build/classify", "noise.ppm"], folder).strip() in classes


def test_a_cpu_without_the_instructions_is_refused(folder):
    """A model for the Raspberry Pi 5 on a 4: an error code, and not an illegal instruction."""
    tvm_patdnn.build(NETWORK, "raspberry-pi-5", lazy=True).export_standalone(folder / "five.a")
    program = folder / "five"
    line = [COMPILER, "-std=c++17", f"-I{folder}", EXAMPLES / "cmake" / "main.cpp", "five.a"]
    run([*line, "-static", "-lm", "-lpthread", "-o", program], folder)
    done = subprocess.run(
        [EMULATOR, "-cpu", "cortex-a72", program, "1", "input", "output"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == "the CPU lacks instructions that the model was compiled for\n"
