"""What processes that build kernels do; what several kernels need is kept between calls."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import tvm
from tvm.tirx import PrimFunc

from relay_passes.lower_kernels import kernel_pipeline
from tvm_patdnn.library.cross_compile import export_compiler
from tvm_patdnn.machine.targets import resolve_target
from tvm_patdnn.records.families import Configuration
from tvm_patdnn.tuning.problem import DeviceProblem, Problem

__all__ = ["ARGUMENTS", "CONSTANTS", "LIBRARY", "build_trial", "make_arguments"]

LIBRARY, CONSTANTS, ARGUMENTS = "kernel.so", "constants.npz", "arguments.npz"

Config = Mapping[str, Any]  # of a target


def build_trial(
    problem_file: str, configuration: Configuration, target: Config, folder: str
) -> None:
    """Writes the library and the constants of one kernel to a folder."""
    problem, chosen = _problem(problem_file), _target(json.dumps(target))
    if isinstance(problem, DeviceProblem):
        np.savez(Path(folder) / CONSTANTS)
        problem.trial(configuration).write(chosen, Path(folder), Path(folder) / LIBRARY)
        return
    kernel = problem.kernel(configuration)
    np.savez(Path(folder) / CONSTANTS, *kernel.constants)
    compiled = _compiled(kernel.func, chosen)
    compiled.export_library(str(Path(folder) / LIBRARY), fcompile=export_compiler(chosen))


def make_arguments(problem_file: str, arguments_file: str) -> None:
    """Writes what all kernels of a problem are called with, and the result that is right.

    That is what the plainest kernel computes on this machine, or what the problem says.
    """
    problem = _problem(problem_file)
    inputs, operands = problem.arguments()
    if isinstance(problem, DeviceProblem):
        expected = problem.expected(inputs)
    else:
        expected = _plain_result(problem, inputs, operands)
    arrays: dict[str, Any] = {
        "expected": expected[..., : problem.compared],
        "out_shape": np.array(problem.out_shape),
        **{f"input{i}": each for i, each in enumerate(inputs)},
        **{f"operand{i}": each for i, each in enumerate(operands)},
    }
    np.savez(arguments_file, **arrays)


def _plain_result(
    problem: Problem, inputs: Sequence[np.ndarray], operands: Sequence[np.ndarray]
) -> np.ndarray:
    kernel = problem.plainest
    output = tvm.runtime.tensor(np.zeros(problem.out_shape, problem.out_dtype))
    run = _compiled(kernel.func, resolve_target()).jit()["main"]
    run(*map(tvm.runtime.tensor, (*inputs, *kernel.constants, *operands)), output)
    return output.numpy()


def _compiled(func: PrimFunc, target: tvm.target.Target) -> tvm.runtime.Executable:
    mod = tvm.IRModule({"main": func.with_attr("global_symbol", "main")})
    with tvm.transform.PassContext(config={"tirx.disable_assert": True}):
        return tvm.compile(mod, target=target, tir_pipeline=kernel_pipeline())


@lru_cache(maxsize=4)
def _problem(file: str) -> Problem | DeviceProblem:
    return pickle.loads(Path(file).read_bytes())


@lru_cache(maxsize=4)
def _target(config: str) -> tvm.target.Target:
    return resolve_target(json.loads(config))
