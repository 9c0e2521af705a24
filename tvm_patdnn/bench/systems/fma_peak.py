"""Not a model: how many multiply-adds this machine can do, as a roof for all kernels."""

from __future__ import annotations

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

__all__ = ["SYSTEM"]

_ROUNDS = 500_000  # of one multiply-add in each register: some milliseconds
_SPARE_REGISTERS = 4
_STRIDE = 1024  # values of each thread: more than all registers hold, and cache lines apart


def _prepare(job: Job) -> Prepared:
    """Compiles a loop of independent multiply-adds in registers, the same on each thread."""
    import tvm

    from tvm_patdnn.library.cross_compile import export_compiler
    from tvm_patdnn.machine.cpu_model import CpuModel
    from tvm_patdnn.machine.targets import resolve_target

    target = resolve_target(None)
    cpu = CpuModel.from_target(target)
    chains = cpu.registers - _SPARE_REGISTERS
    func = _kernel(job.threads, chains, cpu.lanes).with_attr("global_symbol", "main")
    path = job.folder / "peak.so"
    tvm.compile(tvm.IRModule({"main": func}), target=target).export_library(
        str(path), fcompile=export_compiler(target)
    )
    return Prepared(path=path, facts={"macs": job.threads * chains * cpu.lanes * _ROUNDS})


def _kernel(threads: int, chains: int, lanes: int) -> Any:
    from tvm.tirx.script import builder as T

    from te_schedules.cpu.vector_code import VectorCode, prim_func

    code = VectorCode(lanes)

    def body(count: Any, values: Any) -> None:
        with T.parallel(threads) as thread:
            sums, factor = code.registers(chains), code.register()
            base = thread * _STRIDE
            for i, register in enumerate([*sums, factor]):
                code.set(register, code.load(values, base + i * lanes))
            with T.serial(count[0]):
                for each in sums:
                    code.set(each, code.get(each) * code.get(factor) + code.get(factor))
            for i, register in enumerate(sums):
                code.store(values, code.get(register), base + i * lanes)

    params = [("count", (1,), "int32"), ("values", (threads * _STRIDE,), "float32")]
    return prim_func(params, body)


def _load(path: Path, job: Job, inputs: Inputs) -> Loaded:
    import tvm

    main = tvm.runtime.load_module(str(path))["main"]
    count = tvm.runtime.tensor(np.array([_ROUNDS], np.int32))
    # Starting from 0.5 the sums go to 1 and stay there: no overflow, no denormal numbers.
    values = tvm.runtime.tensor(np.full(job.threads * _STRIDE, 0.5, np.float32))
    return Loaded(run=lambda: main(count, values), outputs=lambda result: [])


SYSTEM = System(
    name="fma-peak",
    packages=PACKAGES,
    imports=import_runtime,
    requirements=REQUIREMENTS,
    prepare=_prepare,
    load=_load,
    environment=RUNTIME_ONLY,
)
