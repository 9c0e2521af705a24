"""Quantised Relax modules made by hand, and what int8 kernels have to make of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tvm
from tvm import relax

from relay_passes.int8.drafts import Known
from relay_passes.int8.emit_int8 import emit_int8
from relay_passes.int8.graph import Int8Node
from relay_passes.int8.plan import Int8Plan, plan_int8
from relay_passes.int8.recognize import recognize
from relay_passes.relax_ir.rebuild_main import MainRebuilder
from tests.relay_passes.relax_modules import CPU, Net, bindings_of, operators, run_module

__all__ = [
    "QuantisedNet",
    "assert_within_a_step",
    "node_of",
    "planned",
    "random_weight",
    "rewritten_to_int8",
]


def random_weight(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(-127, 128, shape, np.int8)


class QuantisedNet(Net):
    """Builds quantised modules: tensors of integers have a scale and a zero point."""

    def __init__(self, *shapes: Sequence[int], dtype: str = "uint8") -> None:
        super().__init__(*shapes, dtype=dtype)

    def numbers(self, data: relax.Expr, scale: float = 0.02, zero: int = 7) -> relax.Var:
        dtype = str(data.ty.dtype)
        zero_point = relax.const(np.array(zero, dtype))
        return self(relax.op.dequantize(data, relax.const(scale), zero_point, axis=1))

    def integers(
        self, data: relax.Expr, scale: float = 0.05, zero: int = 100, dtype: str = "uint8"
    ) -> relax.Var:
        zero_point = relax.const(np.array(zero, dtype))
        made = relax.op.quantize(data, relax.const(scale), zero_point, axis=1, out_dtype=dtype)
        return self(made)

    def weight(self, integers: np.ndarray, scale: np.ndarray | float = 0.01) -> relax.Var:
        scales = np.asarray(scale, np.float32)
        zero = np.zeros(scales.shape, integers.dtype)
        made = relax.op.dequantize(
            relax.const(integers), relax.const(scales), relax.const(zero), axis=0
        )
        return self(made)

    def quantised_conv(
        self, data: relax.Expr, integers: np.ndarray, bias: bool = True, **options
    ) -> relax.Var:
        """A convolution of numbers, with a bias of int32; its filters have scales of their own."""
        random, filters = np.random.default_rng(1), len(integers)
        scales = random.uniform(0.002, 0.004, filters).astype(np.float32)
        result = self(relax.op.nn.conv2d(data, self.weight(integers, scales), **options))
        if not bias:
            return result
        values = random.integers(-5000, 5000, filters).astype(np.int32)
        shift = self(relax.op.reshape(self.weight(values, scales * 0.02), (1, filters, 1, 1)))
        return self(relax.op.add(result, shift))


def planned(mod: tvm.IRModule, **names: str) -> Int8Plan:
    main = MainRebuilder(mod)
    return plan_int8(main.bindings, main.result, names, CPU)


def node_of(mod: tvm.IRModule) -> Int8Node | None:
    """The last node of "main", as it is recognised."""
    known, found = Known(), None
    for binding in bindings_of(mod):
        nodes = recognize(known, binding.var, binding.value)
        found = nodes[-1] if nodes else found
    return found


def rewritten_to_int8(mod: tvm.IRModule) -> tvm.IRModule:
    main = MainRebuilder(mod)
    plan = plan_int8(main.bindings, main.result, {}, CPU)
    return main.rebuild(lambda: emit_int8(main, plan))


def assert_within_a_step(mod: tvm.IRModule, step: float = 1, most: float = 0.001) -> list[str]:
    """Runs "main" in int8 and as TVM computes it on numbers.

    Args:
        step: how far results may be from each other.
        most: how many of them, as a share, may not be equal.

    Returns:
        The operators of the module in int8, without reshapes.
    """
    random = np.random.default_rng(0)
    new = rewritten_to_int8(mod)
    inputs = []
    for param in mod["main"].params:
        shape, dtype = [int(n) for n in param.ty.shape.values], str(param.ty.dtype)
        if dtype == "float32":
            inputs.append(random.standard_normal(shape, np.float32))
        else:
            limits = np.iinfo(dtype)
            inputs.append(random.integers(limits.min, limits.max + 1, shape, dtype))
    for expected, found in zip(run_module(mod, *inputs), run_module(new, *inputs), strict=True):
        assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
        apart = np.abs(found.astype(np.float64) - expected.astype(np.float64))
        assert np.unique(expected).size > 5
        assert apart.max() <= step * 1.001
        assert (apart > 0.01 * step).mean() <= most
    return [name.rstrip("0123456789") for name in operators(new) if name != "reshape"]
