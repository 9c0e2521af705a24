"""Rewrites products with a constant matrix to a kernel that reads it once, packed.

Before:  y = matmul(x, constant (inputs, outputs)); z = y + constant (outputs,)
After:   call_tir(fully_connected, x, packed matrix, ...), with the bias and ReLU fused;
         so do convolutions of a plane into a single value, which are such products; where
         enough of the matrix is zero, the kernel reads the rest only
Requires: constants are folded (FoldConstantViews).
Ensures: the same results up to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import tvm
from tvm import relax
from tvm.ir.transform import PassContext

from relay_passes.relax_ir.rebuild_main import MainRebuilder
from relay_passes.relax_ir.values import constant_value, count_uses, operator_name, shape_of
from te_schedules.cpu.fully_connected import (
    fully_connected,
    kept_share,
    pack_matrix,
    pack_sparse_matrix,
    pad_outputs,
    sparse_fully_connected,
)
from te_schedules.epilogue import Step, operands_of
from tvm_patdnn.machine.cpu_model import CpuModel

__all__ = ["RewriteFullyConnected", "is_matrix_product"]

BREAK_EVEN = 0.8  # of a matrix: if less is left, reading that and its indices takes less time
_FUSED = ("relax.add", "relax.nn.relu")  # onto the product that they read


def is_matrix_product(conv: relax.Call) -> bool:
    """Whether a convolution is one that this pass rewrites."""
    return _convolution(conv) is not None


@tvm.transform.module_pass(opt_level=0, name="RewriteFullyConnected")
@dataclass(frozen=True, kw_only=True)
class RewriteFullyConnected:
    """See the module's description.

    Attributes:
        cpu: the CPU that kernels are made for.
        sparse: False reads the zeros of a pruned matrix, too.
    """

    cpu: CpuModel
    sparse: bool = True

    def transform_module(self, mod: tvm.IRModule, _: PassContext) -> tvm.IRModule:
        """Returns the rewritten module; ``mod`` is left as it is."""
        return _Rewriter(mod, self.cpu.lanes, self.sparse).rewrite()


@dataclass(frozen=True, kw_only=True, eq=False)
class _Product:
    """``data`` (rows, inputs) times ``matrix`` (inputs, outputs), then the steps.

    An operand of the steps is a number for each output.
    """

    data: relax.Expr
    rows: int
    matrix: np.ndarray
    out_shape: tuple[int, ...]
    steps: tuple[Step[np.ndarray], ...] = ()


class _Rewriter:
    """Rewrites "main" of one module."""

    def __init__(self, mod: tvm.IRModule, lanes: int, sparse: bool) -> None:
        self.main, self.lanes, self.sparse = MainRebuilder(mod), lanes, sparse
        self.uses = count_uses(self.main.bindings, [self.main.result])
        self.products: dict[relax.Var, _Product] = {}

    def rewrite(self) -> tvm.IRModule:
        return self.main.rebuild(self._emit_bindings)

    def _emit_bindings(self) -> None:
        for binding in self.main.bindings:
            product = self._product(binding.value)
            if product is None:
                self.main.keep(binding)
                continue
            # A product is emitted where it is used up; one that is fused on is never used.
            self.products[binding.var] = product
            if not self._is_fused_on(binding.var):
                self.main.replace(binding.var, self._emit(product))

    def _product(self, value: relax.Expr) -> _Product | None:
        operator = operator_name(value)
        if operator == "relax.matmul":
            return _matmul(value)
        if operator == "relax.nn.conv2d":
            return _convolution(value)
        source = value.args[0] if operator in _FUSED else None
        product = self.products.get(source) if isinstance(source, relax.Var) else None
        if product is None or self.uses[source] != 1:
            return None
        if operator == "relax.nn.relu":
            return replace(product, steps=(*product.steps, Step("relu")))
        return _with_bias(product, constant_value(value.args[1]))

    def _is_fused_on(self, var: relax.Var) -> bool:
        if self.uses[var] != 1:
            return False
        readers = [b.value for b in self.main.bindings if _reads_first(b.value, var)]
        fuses = bool(readers) and operator_name(readers[0]) in _FUSED
        return fuses and self._product(readers[0]) is not None

    def _emit(self, product: _Product) -> relax.Expr:
        builder, (inputs, outputs) = self.main.builder, product.matrix.shape
        name, func, arrays = self._kernel(product)
        data = builder.emit(relax.op.reshape(self.main.renew(product.data), (product.rows, inputs)))
        constants = [relax.const(array) for array in arrays]
        constants += [relax.const(pad_outputs(v, self.lanes)) for v in operands_of(product.steps)]
        kernel = builder.add_func(func, name)
        out = relax.TensorType((product.rows, outputs), "float32")
        result = builder.emit(relax.call_tir(kernel, [data, *constants], out))
        return builder.emit(relax.op.reshape(result, product.out_shape))

    def _kernel(self, product: _Product) -> tuple[str, tvm.tirx.PrimFunc, list[np.ndarray]]:
        """Returns the kernel of a product, its name, and its constants."""
        matrix, lanes, steps = product.matrix, self.lanes, product.steps
        inputs, outputs = matrix.shape
        if self.sparse and kept_share(matrix, lanes) < BREAK_EVEN:
            packed = pack_sparse_matrix(matrix, lanes)
            func = sparse_fully_connected(product.rows, inputs, packed, lanes, steps)
            return "sparse_fully_connected", func, list(packed.constants)
        func = fully_connected(product.rows, inputs, outputs, lanes, steps)
        return "fully_connected", func, [pack_matrix(matrix, lanes)]


def _matmul(value: relax.Call) -> _Product | None:
    data, matrix = shape_of(value.args[0]), constant_value(value.args[1])
    out_shape = shape_of(value)
    if data is None or matrix is None or out_shape is None or matrix.ndim != 2:
        return None
    rows = int(np.prod(data[:-1]))
    return _Product(data=value.args[0], rows=rows, matrix=matrix, out_shape=out_shape)


def _convolution(value: relax.Call) -> _Product | None:
    """Reads a convolution that takes a whole unpadded plane to one value."""
    data, weight = shape_of(value.args[0]), constant_value(value.args[1])
    attrs, out_shape = value.attrs, shape_of(value)
    if data is None or weight is None or out_shape is None or weight.dtype != np.float32:
        return None
    plain = (attrs.data_layout, attrs.kernel_layout, attrs.out_layout) == ("NCHW", "OIHW", "NCHW")
    covers = weight.shape[2:] == data[2:] and out_shape[2:] == (1, 1)
    if not plain or not covers or int(attrs.groups) != 1 or any(int(p) for p in attrs.padding):
        return None
    if any(int(d) != 1 for d in attrs.dilation):
        return None
    matrix = weight.reshape(len(weight), -1).T
    return _Product(data=value.args[0], rows=data[0], matrix=matrix, out_shape=out_shape)


def _with_bias(product: _Product, bias: np.ndarray | None) -> _Product | None:
    outputs = product.matrix.shape[1]
    # The outputs are the last axis of a matmul, the second of a convolution.
    axis = 1 if product.out_shape[-2:] == (1, 1) and len(product.out_shape) == 4 else -1
    if bias is None or bias.dtype != np.float32:
        return None
    wanted = np.ones(len(product.out_shape), int)
    wanted[axis] = outputs
    shape = (1,) * (len(wanted) - bias.ndim) + bias.shape
    if bias.size == 1 or shape != tuple(wanted):
        return None
    return replace(product, steps=(*product.steps, Step("add", bias.reshape(-1))))


def _reads_first(value: relax.Expr, var: relax.Var) -> bool:
    """Whether ``value`` calls an operator whose first argument is ``var``."""
    return isinstance(value, relax.Call) and len(value.args) > 0 and value.args[0].same_as(var)
