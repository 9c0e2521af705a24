"""Not a model: a loop of multiply-adds in registers, the most that this machine can do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tvm_patdnn.bench.system import Inputs, Job, Loaded, Prepared, System
from tvm_patdnn.bench.systems.tvm_library import (
    PACKAGES,
    REQUIREMENTS,
    RUNTIME_ONLY,
    import_runtime,
)

__all__ = ["Step", "peak_system"]

_ROUNDS = 500_000  # of one step in each register: some milliseconds
_SPARE_REGISTERS = 4
_STRIDE = 1024  # values of each thread: more than all registers hold, and cache lines apart


@dataclass(frozen=True, kw_only=True)
class Step:
    """What is done to each register again and again.

    Attributes:
        lanes, dtype: of a register.
        macs: multiply-adds of a step.
        code: (register, factor) -> register.
    """

    lanes: int
    dtype: str
    macs: int
    code: Callable[[Any, Any], Any]


def peak_system(name: str, start: float, step_of: Callable[[Any], Step]) -> System:
    """Makes the system that runs such a loop on each thread.

    Args:
        start: what every register holds at first.
        step_of: given the ``CpuModel``; imports the compiler when it is called.
    """
    return System(
        name=name,
        packages=PACKAGES,
        imports=import_runtime,
        requirements=REQUIREMENTS,
        prepare=partial(_prepare, step_of),
        load=partial(_load, start),
        environment=RUNTIME_ONLY,
    )


def _prepare(step_of: Callable[[Any], Step], job: Job) -> Prepared:
    import tvm

    from tvm_patdnn.library.cross_compile import export_compiler
    from tvm_patdnn.machine.cpu_model import CpuModel
    from tvm_patdnn.machine.targets import resolve_target

    target = resolve_target(None)
    cpu = CpuModel.from_target(target)
    step, chains = step_of(cpu), cpu.registers - _SPARE_REGISTERS
    func = _kernel(job.threads, chains, step).with_attr("global_symbol", "main")
    path = job.folder / "peak.so"
    tvm.compile(tvm.IRModule({"main": func}), target=target).export_library(
        str(path), fcompile=export_compiler(target)
    )
    macs = job.threads * chains * step.macs * _ROUNDS
    return Prepared(path=path, facts={"macs": macs, "dtype": step.dtype})


def _kernel(threads: int, chains: int, step: Step) -> Any:
    from tvm.tirx.script import builder as T

    from te_schedules.cpu.vector_code import VectorCode, prim_func

    code = VectorCode(step.lanes, step.dtype)

    def body(count: Any, values: Any) -> None:
        with T.parallel(threads) as thread:
            sums, factor = code.registers(chains), code.register()
            base = thread * _STRIDE
            for i, register in enumerate([*sums, factor]):
                code.set(register, code.load(values, base + i * step.lanes))
            with T.serial(count[0]):
                for each in sums:
                    code.set(each, step.code(code.get(each), code.get(factor)))
            for i, register in enumerate(sums):
                code.store(values, code.get(register), base + i * step.lanes)

    return prim_func([("count", (1,), "int32"), ("values", (threads * _STRIDE,), step.dtype)], body)


def _load(start: float, path: Path, job: Job, inputs: Inputs) -> Loaded:
    import tvm

    main = tvm.runtime.load_module(str(path))["main"]
    count = tvm.runtime.tensor(np.array([_ROUNDS], np.int32))
    dtype = np.int32 if isinstance(start, int) else np.float32
    values = tvm.runtime.tensor(np.full(job.threads * _STRIDE, start, dtype))
    return Loaded(run=lambda: main(count, values), outputs=lambda result: [])
