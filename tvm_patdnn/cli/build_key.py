"""A name for a build: builds of one name give the same files. It is found without TVM.

It covers all that a library depends on: the model's bytes, those of its weights in other files
too; the options; this machine, which may be the target; the compilers that may link; the versions
of what is installed; and every file of this package, tuning records included.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import re
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tvm_patdnn.machine.cores import host_cores
from tvm_patdnn.machine.host_cpu import host_cache_bytes
from tvm_patdnn.records.log_files import VARIABLE

__all__ = ["build_key", "file_digest"]

_FORMAT = "1"  # of what is kept under the key
_OURS = ("autotune_logs", "relay_passes", "te_schedules", "tvm_patdnn")
_INSTALLED = ("tvm-patdnn", "apache-tvm", "apache-tvm-ffi", "numpy", "onnx", "onnxslim", "ziglang")
_VARIABLES = ("CC", "CXX", "TVM_NDK_CC", VARIABLE)
_TOOL = re.compile(r"(.*-)?(g\+\+|gcc|clang|clang\+\+|c\+\+|cc|ld|ld\.lld|ar)(-[\d.]+)?")
_CPU_FACTS = ("vendor_id", "cpu family", "model", "model name", "flags", "Features", "CPU part")
_CHUNK = 1 << 20


def build_key(model: Path, options: Mapping[str, object]) -> str | None:
    """Returns the name, or None where the model cannot be read: building says why.

    Args:
        options: all else that was asked for.
    """
    try:
        parts = [*_model_parts(model)]
    except Exception:  # a file that is no model raises whatever its reader does
        return None
    parts += [f"{name}={options[name]!r}" for name in sorted(options)]
    parts += [_FORMAT, sys.version, *_versions(), *_machine(), *_tools(), *_sources()]
    return hashlib.sha256("\n".join(parts).encode(errors="surrogateescape")).hexdigest()


def _model_parts(model: Path) -> Iterator[str]:
    content = model.read_bytes()
    yield hashlib.sha256(content).hexdigest()
    if b"location" not in content:  # the word by which a tensor names the file it is in
        return
    import onnx
    from onnx.external_data_helper import ExternalDataInfo, uses_external_data

    from tvm_patdnn.importing.onnx_constants import stored_tensors

    tensors = stored_tensors(onnx.ModelProto.FromString(content).graph)
    files = {ExternalDataInfo(each).location for each in tensors if uses_external_data(each)}
    for name in sorted(files):
        yield f"{name} {file_digest(model.parent / name)}"


def _versions() -> Iterator[str]:
    for name in _INSTALLED:
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            yield f"{name} is missing"


def _machine() -> Iterator[str]:
    yield f"{platform.machine()} {platform.system()} {host_cores()}"
    yield f"{host_cache_bytes(1)} {host_cache_bytes(2)}"
    try:
        first_cpu = Path("/proc/cpuinfo").read_text().split("\n\n")[0]
    except OSError:
        first_cpu = platform.processor()
    yield from (line for line in first_cpu.splitlines() if line.startswith(_CPU_FACTS))


def _tools() -> Iterator[str]:
    """What a linker is chosen from, wherever the choice falls."""
    yield from (f"{name}={os.environ.get(name)}" for name in _VARIABLES)
    named = [os.environ[name] for name in _VARIABLES if os.path.isfile(os.environ.get(name, ""))]
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        try:
            names = sorted(filter(_TOOL.fullmatch, os.listdir(folder or ".")))
        except OSError:
            continue
        named += [os.path.join(folder, name) for name in names]
    for path in named:
        try:
            facts = os.stat(path)
        except OSError:
            continue
        yield f"{path} {facts.st_size} {facts.st_mtime_ns}"


def _sources() -> Iterator[str]:
    for name in _OURS:
        found = importlib.util.find_spec(name)
        for root in (found and found.submodule_search_locations) or ():
            for path in sorted(Path(root).rglob("*")):
                if path.is_file() and path.suffix != ".pyc":
                    yield f"{name} {path.relative_to(root)} {file_digest(path)}"


def file_digest(path: Path) -> str:
    """The SHA-256 of a file's content."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            found.update(chunk)
    return found.hexdigest()
