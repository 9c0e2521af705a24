"""Writes a model as a folder of C files that any compiler for the target turns into a library."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import tvm

from relay_passes.pipeline import lowering_passes
from tvm_patdnn.error_lines import last_line
from tvm_patdnn.errors import BuildError
from tvm_patdnn.standalone.cpu_check import cpu_check
from tvm_patdnn.standalone.kernels import compile_kernels
from tvm_patdnn.standalone.pack_weights import PackedWeights, pack_weights
from tvm_patdnn.standalone.program import Program, link_program
from tvm_patdnn.standalone.sequence import read_sequence
from tvm_patdnn.standalone.source_model import SourceModel
from tvm_patdnn.standalone.write_c import CModel, fill, runtime_source, template

__all__ = ["RUNTIME", "WEIGHTS", "kernel_objects", "write_folder"]

RUNTIME, WEIGHTS = "runtime.c", "weights.bin"


def write_folder(model: SourceModel, folder: Path, name: str, *, report: bool) -> None:
    """Compiles the kernels of a model and writes everything into an existing folder.

    Args:
        name: prefix of all symbols; a C identifier.
        report: whether what became of each layer is stored, too.

    Raises:
        BuildError: the model does something that a fixed sequence of kernels cannot, or TVM
            cannot compile it.
        OSError: a file cannot be written.
    """
    program = _compile(model, name, folder)
    stored = model.metadata if report else replace(model.metadata, layers=())
    text = json.dumps(asdict(stored))
    weights = pack_weights(program.calls.constants, text, folder / WEIGHTS)
    _write_texts(model, program, weights, folder, name)


def kernel_objects(folder: Path) -> list[str]:
    """The names of the object files in such a folder."""
    return sorted(file.name for file in folder.glob("kernels*.o"))


def _compile(model: SourceModel, name: str, folder: Path) -> Program:
    target = model.target
    try:
        with target:
            lowered = tvm.transform.Sequential(lowering_passes())(model.module)
        calls = read_sequence(lowered["main"], model.data_dependent)
        names = {call.kernel for call in calls.calls}
        kernels = compile_kernels(lowered, names, target, name, folder)
    except (RuntimeError, ValueError) as error:
        said = last_line(error)
        raise BuildError(
            f"TVM cannot compile the model for {target}: {said}; please report the model"
        ) from error
    return link_program(calls, kernels)


def _write_texts(
    model: SourceModel, program: Program, weights: PackedWeights, folder: Path, name: str
) -> None:
    texts = CModel(
        name=name,
        program=program,
        weights=weights,
        metadata=model.metadata,
        version=_version(),
        cpu_check=cpu_check(model.target),
    )
    (folder / f"{name}.h").write_text(texts.header())
    (folder / f"{name}.c").write_text(texts.source())
    (folder / RUNTIME).write_text(runtime_source())
    (folder / "CMakeLists.txt").write_text(_cmake(folder, name))


def _cmake(folder: Path, name: str) -> str:
    objects = kernel_objects(folder)
    sums = {
        file: hashlib.sha256((folder / file).read_bytes()).hexdigest()
        for file in (*objects, WEIGHTS, RUNTIME, f"{name}.c", f"{name}.h")
    }
    listed = "\n".join(f"  {file} {digest}" for file, digest in sums.items())
    values = {"name": name, "sums": listed, "objects": " ".join(objects)}
    return fill(template("CMakeLists.txt"), values)


def _version() -> str:
    try:
        return version("tvm-patdnn")
    except PackageNotFoundError:  # a checkout that is not installed
        return "not installed"
