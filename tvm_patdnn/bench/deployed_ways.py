"""The ways to run a deployed model, each in a process of its own that says what it took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from pathlib import Path

from tvm_patdnn.errors import BenchError
from tvm_patdnn.library.cross_compile import c_compiler, describe_c_compilers
from tvm_patdnn.library.library import Library

__all__ = ["Way", "deployed_ways"]

_OURS = ("import tvm_patdnn; tvm_patdnn.load", "tvm_patdnn.load(path, num_threads=threads)")
_ONNXRUNTIME = (
    "import onnxruntime",
    """
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = threads
session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
class model:
    inputs = {one.name: (one.shape, "float32") for one in session.get_inputs()}
    def run(feed): return session.run(None, feed)
""",
)
# The child reads numpy first, as all of them need it, and what is measured is the rest.
_CHILD = """
import json, os, sys, time
import numpy
path, threads, repeats = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
now = time.perf_counter
begin = now()
{modules}
imported = now()
{load}
loaded = now()
random = numpy.random.default_rng(0)
feed = {{name: random.random(shape, dtype) for name, (shape, dtype) in model.inputs.items()}}
times = []
for _ in range(1 + repeats):
    start = now()
    model.run(feed)
    times.append(now() - start)
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if "VmHWM" in line)
print(json.dumps({{"import_s": imported - begin, "load_s": loaded - imported, "times_s": times,
                  "peak_kib": peak}}), flush=True)
os._exit(0)
"""


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to run a model.

    Attributes:
        path: of what is shipped.
        command: starts it; the numbers of threads and of repeats follow.
    """

    path: Path
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)

    def measure(self, threads: int, repeats: int) -> dict:
        """Runs it once, in a new process.

        Returns:
            What the process says: seconds by ``import_s``, ``load_s`` and ``times_s``, the
            first run before the others; ``peak_kib``; C programs also say the bytes of the
            instance's ``memory`` and of its inputs and outputs (``tensors``).

        Raises:
            BenchError: it fails.
        """
        environment = {**os.environ, "TVM_NUM_THREADS": str(threads), **self.environment}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # who deploys a model compiles once
        line = [*self.command, str(threads), str(repeats)]
        done = subprocess.run(line, capture_output=True, text=True, env=environment, check=False)
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise BenchError(
                f"{self.path.name}: a process that runs it fails: {said}; run it alone"
            )
        return json.loads(done.stdout)


def deployed_ways(library: Library, model: Path, folder: Path) -> dict[str, Way]:
    """Writes a built model in all forms, and says how to run each.

    Args:
        model: the ONNX file.
        folder: for what is made; it has to stay.

    Raises:
        BuildError: a form cannot be written.
        BenchError: the C program cannot be compiled.
    """
    alone, vm = folder / "alone.so", folder / "vm.so"
    library.export_standalone(alone)
    library.export_library(vm)
    program = _c_program(library, alone, folder)
    bytecode = {"PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    runtime = {**bytecode, "TVM_USE_RUNTIME_LIB": "1"}
    return {
        "C program": Way(path=alone, command=[str(program)]),
        "standalone": Way(path=alone, command=_python(*_OURS, alone), environment=bytecode),
        "TVM": Way(path=vm, command=_python(*_OURS, vm), environment=bytecode),
        "TVM's runtime alone": Way(path=vm, command=_python(*_OURS, vm), environment=runtime),
        "onnxruntime": Way(path=model, command=_python(*_ONNXRUNTIME, model), environment=bytecode),
    }


def _python(modules: str, load: str, path: Path) -> list[str]:
    load = f"model = {load}" if "\n" not in load else load
    return [sys.executable, "-c", _CHILD.format(modules=modules, load=load), str(path)]


def _c_program(library: Library, path: Path, folder: Path) -> Path:
    compiler = c_compiler(library.target)
    if compiler is None:
        raise BenchError(f"C program: {describe_c_compilers(library.target)}")
    program = folder / "deployed"
    with as_file(files("tvm_patdnn.bench") / "deployed.c") as source:
        line = [*compiler.command, "-x", "c", "-std=c11", "-O2", str(source), "-x", "none"]
        line += [f"-I{folder}", str(path), f"-Wl,-rpath,{folder}", "-o", str(program)]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"C program: cannot be compiled: {done.stderr.strip()[-500:]}")
    return program
