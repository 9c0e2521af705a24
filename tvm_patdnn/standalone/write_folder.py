"""Writes a model as a folder of C files that any compiler for the target turns into a library."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import tvm

from relay_passes.pipeline import lowering_passes
from tvm_patdnn.error_lines import last_line
from tvm_patdnn.errors import BuildError
from tvm_patdnn.library.metadata import Metadata
from tvm_patdnn.machine.targets import is_gpu
from tvm_patdnn.standalone.c_texts import fill, template
from tvm_patdnn.standalone.cpu_check import cpu_check
from tvm_patdnn.standalone.device_code import device_code
from tvm_patdnn.standalone.device_program import DeviceProgram, link_device_program
from tvm_patdnn.standalone.kernels import compile_kernels
from tvm_patdnn.standalone.pack_weights import pack_weights
from tvm_patdnn.standalone.program import link_program
from tvm_patdnn.standalone.sequence import Sequence, read_sequence
from tvm_patdnn.standalone.source_model import SourceModel
from tvm_patdnn.standalone.write_c import CModel, runtime_source
from tvm_patdnn.standalone.write_opencl import OpenClModel, opencl_runtime_source

__all__ = [
    "RUNTIME",
    "WEIGHTS",
    "compile_device_program",
    "kernel_objects",
    "write_device_program",
    "write_folder",
]

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
    stored = model.metadata if report else replace(model.metadata, layers=())
    text = json.dumps(asdict(stored))
    write = _write_for_opencl if is_gpu(model.target) else _write_for_cpu
    texts = write(model, text, folder, name)
    (folder / f"{name}.h").write_text(texts.header())
    (folder / f"{name}.c").write_text(texts.source())
    (folder / "CMakeLists.txt").write_text(_cmake(folder, name))


def kernel_objects(folder: Path) -> list[str]:
    """The names of the object files in such a folder."""
    return sorted(file.name for file in folder.glob("kernels*.o"))


def _write_for_cpu(model: SourceModel, text: str, folder: Path, name: str) -> CModel:
    target = model.target
    with _named(model):
        lowered, calls = _lowered(model)
        names = {call.kernel for call in calls.calls}
        kernels = compile_kernels(lowered, names, target, name, folder)
    (folder / RUNTIME).write_text(runtime_source())
    return CModel(
        name=name,
        calls=calls,
        program=link_program(calls, kernels),
        weights=pack_weights(calls.constants, text, folder / WEIGHTS),
        metadata=model.metadata,
        version=_version(),
        cpu_check=cpu_check(target),
    )


def _write_for_opencl(model: SourceModel, text: str, folder: Path, name: str) -> OpenClModel:
    return write_device_program(compile_device_program(model), model.metadata, text, folder, name)


def write_device_program(
    program: DeviceProgram, metadata: Metadata, text: str, folder: Path, name: str
) -> OpenClModel:
    """Writes the constants and the runtime of an OpenCL program, and returns its own texts.

    Args:
        text: what is stored as the model's metadata.
    """
    source = np.frombuffer(program.source.encode() + b"\0", np.uint8)
    weights = pack_weights([*program.calls.constants, source], text, folder / WEIGHTS)
    (folder / RUNTIME).write_text(opencl_runtime_source())
    return OpenClModel(
        name=name,
        calls=program.calls,
        program=program,
        weights=weights,
        source_offset=weights.offsets[-1],
        metadata=metadata,
        version=_version(),
    )


def compile_device_program(model: SourceModel) -> DeviceProgram:
    """Compiles the kernels of a model for a GPU to source.

    Raises:
        BuildError: see ``write_folder``.
    """
    with _named(model):
        lowered, calls = _lowered(model)
        names = {call.kernel for call in calls.calls}
        found = {v.name_hint: f for v, f in lowered.functions.items() if v.name_hint in names}
        code = device_code(found, model.target)
    return link_device_program(calls, code)


def _lowered(model: SourceModel) -> tuple[tvm.IRModule, Sequence]:
    with model.target:
        lowered = tvm.transform.Sequential(lowering_passes())(model.module)
    return lowered, read_sequence(lowered["main"], model.data_dependent)


@contextmanager
def _named(model: SourceModel) -> Iterator[None]:
    """Turns what TVM raises into a ``BuildError``."""
    try:
        yield
    except (RuntimeError, ValueError) as error:
        said = last_line(error)
        raise BuildError(
            f"TVM cannot compile the model for {model.target}: {said}; please report the model"
        ) from error


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
