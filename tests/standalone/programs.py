"""Compiles C and C++ programs around a model, and runs them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import tvm_patdnn
from tests.built import library, require_linker
from tvm_patdnn.standalone.write_folder import kernel_objects

__all__ = ["EXAMPLES", "compile_program", "flag", "kernels", "run", "shipped"]

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "standalone"
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-pedantic"]


@cache
def shipped(target: str | None = None) -> tvm_patdnn.Library:
    """The small network that classifies images of CIFAR-10."""
    return tvm_patdnn.build(ROOT / "models" / "small_vgg_cifar10_pruned.onnx", target)


def flag(tool: str) -> str:
    """Returns the tool's name; skips the test where it is not."""
    if shutil.which(tool) is None:
        pytest.skip(f"no {tool} on this machine")
    return tool


def kernels(folder: Path) -> list[str]:
    """The paths of the object files in a model's folder."""
    return [str(folder / name) for name in kernel_objects(folder)]


def compile_program(folder: Path, source: Path, *words: str, compiler: str = "cc") -> Path:
    """Compiles and links a C program; ``words`` follow it, such as libraries."""
    require_linker(library())
    program = folder / source.stem
    line = [flag(compiler), "-std=c11", "-O1", *WARNINGS, f"-I{folder}", str(source), *words]
    run([*line, "-lm", "-lpthread", "-o", str(program)], folder)
    return program


def run(line: Sequence[str | Path], folder: Path) -> str:
    """Runs a program that must succeed; returns what it prints."""
    done = subprocess.run(
        [str(word) for word in line], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def write_picture(path: Path, seed: int = 0) -> np.ndarray:
    """Writes 32 x 32 pixels of noise as a PPM image; returns them: (32, 32, 3) uint8."""
    pixels = np.random.default_rng(seed).integers(0, 256, (32, 32, 3), np.uint8)
    path.write_bytes(b"P6 32 32 255\n" + pixels.tobytes())
    return pixels
