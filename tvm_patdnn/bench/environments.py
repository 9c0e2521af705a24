"""Finds, or makes, the Python that a system runs in.

Packages of different systems contradict each other, so each may have an environment of its
own: a folder of the system's name in ``TVM_PATDNN_BENCH_ENVS`` (default: ``.venv-bench``),
or the Python that ``TVM_PATDNN_BENCH_PYTHON_<SYSTEM>`` names. Else it is the one we run in.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tvm_patdnn.bench.system import System
from tvm_patdnn.errors import BenchError

__all__ = ["environment_folder", "find_python", "install"]

_FOLDER_VARIABLE = "TVM_PATDNN_BENCH_ENVS"
_FOLDER = ".venv-bench"
_PYTHON_VARIABLE = "TVM_PATDNN_BENCH_PYTHON_"


def find_python(system: System) -> str | None:
    """Returns the Python to run a system with, or None where its packages are missing.

    Raises:
        BenchError: a variable names a Python that does not exist.
    """
    variable = _PYTHON_VARIABLE + system.name.upper().replace("-", "_")
    chosen = os.environ.get(variable)
    if chosen:
        if not Path(chosen).exists():
            raise BenchError(f"{variable}: no such file: '{chosen}'; give the path of a Python")
        return chosen
    own = _python_of(environment_folder(system))
    if own.exists():
        return str(own)
    here = all(importlib.util.find_spec(package) for package in system.packages)
    return sys.executable if here else None


def environment_folder(system: System) -> Path:
    """Returns the folder of the system's own environment, which need not exist."""
    return Path(os.environ.get(_FOLDER_VARIABLE) or _FOLDER).absolute() / system.name


def install(system: System, progress: Callable[[str], None] = lambda phase: None) -> Path:
    """Makes the system's own environment, or completes it.

    Returns:
        Its folder.

    Raises:
        BenchError: pip fails.
    """
    folder = environment_folder(system)
    progress(f"{system.name}: environment")
    _call([sys.executable, "-m", "venv", str(folder)], system)
    pip = [str(_python_of(folder)), "-m", "pip", "--disable-pip-version-check", "install"]
    with_dependencies = [
        each for each in system.requirements if each not in system.without_dependencies
    ]
    progress(f"{system.name}: {', '.join(system.requirements)}")
    _call([*pip, *with_dependencies], system)
    if system.without_dependencies:
        _call([*pip, "--no-deps", *system.without_dependencies], system)
    return folder


def _python_of(folder: Path) -> Path:
    return folder / "bin" / "python"


def _call(command: list[str], system: System) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["it says nothing"]
        said = next((line for line in lines if line.startswith("ERROR:")), lines[-1])
        raise BenchError(
            f"{system.name}: cannot be installed: {said}; the command was {' '.join(command)}"
        )
