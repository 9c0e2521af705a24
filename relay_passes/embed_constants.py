"""Puts the constants of kernels into the library's read-only data, where they are used.

Before:  kernel(x, constant, out), the constant held by the virtual machine
After:   kernel(x, offset, out), which reads the constant at this offset of the data
Requires: calls of kernels, not call_tir.
Ensures: the same results. The loader maps the data and copies nothing; the virtual machine's
         own constants are held three times while they are loaded.

A parameter is rewritten if it is a constant in all calls of its kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import tvm
from tvm import relax, tirx
from tvm.ir import GlobalVar, PointerType, PrimType
from tvm.ir.expr import GenericConst
from tvm.ir.transform import PassContext
from tvm.relax.expr_functor import PyExprMutator, mutator

__all__ = ["EmbedConstants"]

_FUNCTION = "tvm_patdnn_constant"
# A symbol that is local to the assembly: neither the linker nor another library sees it.
_CODE = """
module asm ".section .rodata.tvm_patdnn,\\22a\\22,%progbits"
module asm ".p2align 6"
module asm "tvm_patdnn_constants:"
module asm ".incbin \\22{path}\\22"
module asm ".text"
@tvm_patdnn_constants = external dso_local constant [0 x i8], align 64
define ptr @tvm_patdnn_constant(i64 %offset) {{
  %address = getelementptr i8, ptr @tvm_patdnn_constants, i64 %offset
  ret ptr %address
}}
"""


@tvm.transform.module_pass(opt_level=0, name="EmbedConstants")
@dataclass(frozen=True)
class EmbedConstants:
    """See the module's description.

    Attributes:
        add: keeps an array for the library, returns its offset in bytes.
        path: of the file of these arrays, which LLVM reads when it writes the library.
    """

    add: Callable[[np.ndarray], int]
    path: str

    def transform_module(self, mod: tvm.IRModule, _: PassContext) -> tvm.IRModule:
        """Returns the rewritten module; ``mod`` is left as it is."""
        constants = {var: found for var, found in _constant_params(mod).items() if found}
        if not constants:
            return mod
        kernels = {var: _with_offsets(mod[var], found) for var, found in constants.items()}
        first = next(iter(kernels))
        kernels[first] = _importing(kernels[first], _CODE.format(path=self.path))
        return _Rewriter(mod, kernels, constants, self.add).rewrite()


def _constant_params(mod: tvm.IRModule) -> dict[GlobalVar, tuple[int, ...]]:
    """Returns the places of the parameters to rewrite, by kernel."""
    found: dict[GlobalVar, set[int]] = {}

    def visit(expr: relax.Expr) -> None:
        if not _calls_kernel(mod, expr):
            return
        params = mod[expr.op].params
        tensors = zip(params, expr.args, strict=False)  # a kernel may have more, for its results
        places = {i for i, (p, arg) in enumerate(tensors) if _is_tensor(arg) and _is_at_start(p)}
        found[expr.op] = found.get(expr.op, places) & places

    for func in mod.functions.values():
        if isinstance(func, relax.Function):
            relax.analysis.post_order_visit(func.body, visit)
    return {var: tuple(sorted(places)) for var, places in found.items()}


def _calls_kernel(mod: tvm.IRModule, expr: relax.Expr) -> bool:
    return (
        isinstance(expr, relax.Call)
        and isinstance(expr.op, GlobalVar)
        and isinstance(mod[expr.op], tirx.PrimFunc)
    )


def _is_tensor(arg: relax.Expr) -> bool:
    return isinstance(arg, GenericConst) and isinstance(arg.value, tvm.runtime.Tensor)


def _is_at_start(buffer: tirx.Buffer) -> bool:
    """Whether a kernel takes it from its first value on, and not from where its caller says."""
    return buffer.elem_offset is None or isinstance(buffer.elem_offset, tirx.IntImm)


def _with_offsets(func: tirx.PrimFunc, places: tuple[int, ...]) -> tirx.PrimFunc:
    """Lets the kernel take offsets at these places, instead of tensors."""
    params, statements = list(func.params), []
    for place in places:
        buffer = params[place]
        offset = tirx.Var(f"{buffer.name}_offset", "int64")
        pointer_type = PointerType(PrimType(buffer.dtype), "global")
        pointer = tirx.Var(f"{buffer.name}_data", pointer_type)
        address = tirx.call_extern(pointer_type, _FUNCTION, offset)
        statements += [tirx.Bind(pointer, address), tirx.DeclBuffer(buffer, data=pointer)]
        params[place] = offset
    body = tirx.SeqStmt([*statements, func.body])
    return tirx.PrimFunc(params, body, func.ret_type, func.attrs)


def _importing(func: tirx.PrimFunc, code: str) -> tirx.PrimFunc:
    """Lets a kernel bring LLVM's own code into the library."""
    body = tirx.AttrStmt(0, "pragma_import_llvm", tvm.ir.StringImm(code), func.body)
    return func.with_body(body)


@mutator
class _Rewriter(PyExprMutator):
    """Calls the new kernels."""

    def __init__(
        self,
        mod: tvm.IRModule,
        kernels: Mapping[GlobalVar, tirx.PrimFunc],
        constants: Mapping[GlobalVar, tuple[int, ...]],
        add: Callable[[np.ndarray], int],
    ) -> None:
        others = {var: func for var, func in mod.functions.items() if var not in kernels}
        super().__init__(tvm.IRModule(others, attrs=mod.attrs))
        self._constants, self._add = constants, add
        self._new = {
            var: self.builder_.add_func(func, var.name_hint) for var, func in kernels.items()
        }

    def rewrite(self) -> tvm.IRModule:
        """Returns the module with every function that is not a kernel written anew."""
        for var, func in self.builder_.get().functions.items():
            if isinstance(func, relax.Function):
                self.builder_.update_func(var, self.visit_expr(func))
        return self.builder_.finalize()

    def visit_call_(self, call: relax.Call) -> relax.Expr:
        """Gives offsets to the kernels that take them."""
        call = super().visit_call_(call)
        if call.op not in self._new:
            return call
        args = list(call.args)
        for place in self._constants[call.op]:
            offset = self._add(args[place].value.numpy())
            args[place] = tirx.IntImm("int64", offset)
        return relax.Call(self._new[call.op], args, call.attrs, call.ty_args)
