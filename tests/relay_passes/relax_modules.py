"""Relax modules made by hand, and what passes are asked of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import tvm
from tvm import relax

from relay_passes.relax_ir.values import operator_name
from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.machine.targets import resolve_target

__all__ = [
    "CPU",
    "Net",
    "assert_same_numbers",
    "bindings_of",
    "const",
    "operators",
    "random_array",
    "rewritten",
    "run_module",
]

CPU = CpuModel(lanes=8, registers=16, l1_bytes=32 << 10, l2_bytes=1 << 20, num_cores=2)

Body = Callable[..., relax.Expr]


def random_array(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def const(value: np.ndarray | float) -> relax.Expr:
    return relax.const(np.asarray(value, np.float32))


class Net:
    """Builds a module "main" of one dataflow block; ``net(expr)`` binds a variable."""

    def __init__(self, *shapes: Sequence[int], dtype: str = "float32") -> None:
        self.builder = relax.BlockBuilder()
        self.inputs = [
            relax.Var(f"x{i}", relax.TensorType(shape, dtype)) for i, shape in enumerate(shapes)
        ]

    def __call__(self, expr: relax.Expr) -> relax.Var:
        return self.builder.emit(expr)

    def module(self, body: Body) -> tvm.IRModule:
        """Returns the module whose "main" returns ``body(*inputs)``: a value, or a tuple."""
        with self.builder.function("main", self.inputs):
            with self.builder.dataflow():
                result = body(*self.inputs)
                results = result if isinstance(result, tuple) else (result,)
                outputs = [self.builder.emit_output(value) for value in results]
            self.builder.emit_func_output(outputs[0] if len(outputs) == 1 else tuple(outputs))
        return self.builder.finalize()

    def conv(self, data: relax.Expr, weight: np.ndarray, **options) -> relax.Var:
        return self(relax.op.nn.conv2d(data, relax.const(weight), **options))


@cache
def _target() -> tvm.target.Target:
    return resolve_target()


def run_module(mod: tvm.IRModule, *inputs: np.ndarray) -> list[np.ndarray]:
    """Runs "main" as TVM's default pipeline compiles it."""
    machine = relax.VirtualMachine(relax.build(mod, _target()), tvm.cpu())
    result = machine["main"](*[tvm.runtime.tensor(value) for value in inputs])
    results = [result] if isinstance(result, tvm.runtime.Tensor) else list(result)
    return [value.numpy() for value in results]


def assert_same_numbers(one: tvm.IRModule, other: tvm.IRModule) -> None:
    """Runs both modules on the same inputs."""
    inputs = [
        random_array(*[int(n) for n in param.ty.shape.values], seed=i).astype(str(param.ty.dtype))
        for i, param in enumerate(one["main"].params)
    ]
    pairs = zip(run_module(one, *inputs), run_module(other, *inputs), strict=True)
    for expected, got in pairs:
        assert got.dtype == expected.dtype
        assert np.isfinite(expected).all()
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)


def rewritten(a_pass: tvm.transform.Pass, mod: tvm.IRModule, numbers: bool = True) -> tvm.IRModule:
    """Returns what a pass makes of ``mod``; checks that it leaves ``mod`` and its numbers."""
    before = tvm.ir.load_json(tvm.ir.save_json(mod))
    result = a_pass(mod)
    tvm.ir.assert_structural_equal(mod, before, map_free_vars=True)
    if numbers:
        assert_same_numbers(mod, result)
    return result


def bindings_of(mod: tvm.IRModule) -> list[relax.Binding]:
    return [binding for block in mod["main"].body.blocks for binding in block.bindings]


def operators(mod: tvm.IRModule) -> list[str]:
    """The operators of "main" in order; a kernel by its name."""
    values = [binding.value for binding in bindings_of(mod)]
    return [
        str(value.args[0].name_hint)
        if operator_name(value) == "relax.call_tir"
        else operator_name(value).removeprefix("relax.").removeprefix("nn.")
        for value in values
        if operator_name(value)
    ]
