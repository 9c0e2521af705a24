"""Reads a lowered Relax function as what it is for fixed shapes: kernel calls, one after another.

What the virtual machine does besides is dropped: it allocates tensors, which are planned here
anew, and checks the shapes of inputs, which a C function cannot; a reshape is another name for
the same tensor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import tvm
from tvm import relax

from tvm_patdnn.errors import BuildError
from tvm_patdnn.standalone.tensor_bytes import tensor_bytes

__all__ = ["Call", "Ref", "Sequence", "Tensor", "read_sequence"]

_CHECKS = {
    "vm.builtin.alloc_shape_heap",
    "vm.builtin.check_tensor_info",
    "vm.builtin.match_shape",
}
_NO_STEP = {"relax.vm.alloc_storage", "relax.vm.kill_object", "relax.null_value"}


class Ref(NamedTuple):
    """Which tensor: ``space`` is "input", "output", "constant" or "temporary"."""

    space: str
    number: int


class Tensor(NamedTuple):
    """What is known of an input or output; ``dtype`` in numpy's words."""

    shape: tuple[int, ...]
    dtype: str

    @property
    def bytes(self) -> int:
        """What it takes in memory."""
        return tensor_bytes(self.shape, self.dtype)


class Call(NamedTuple):
    """A kernel and what it works on."""

    kernel: str
    args: tuple[Ref, ...]


@dataclass(kw_only=True)
class Sequence:
    """A model with fixed shapes.

    Attributes:
        temporaries: bytes of each.
        copies: output by output, what it is a copy of where no kernel writes it: an input, a
            constant, or another output.
    """

    inputs: list[Tensor] = field(default_factory=list)
    outputs: list[Tensor] = field(default_factory=list)
    constants: list[np.ndarray] = field(default_factory=list)
    temporaries: list[int] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    copies: list[tuple[Ref, Ref]] = field(default_factory=list)


def read_sequence(main: relax.Function, suspects: Iterable[str] = ()) -> Sequence:
    """Reads "main" of a lowered module.

    Args:
        suspects: operators of the model whose result's size depends on the data; named where
            the function is declined.

    Raises:
        BuildError: it does what no fixed sequence of kernels can; the operator is named.
    """
    return _Reader(main, ", ".join(suspects)).sequence


class _Reader:
    def __init__(self, main: relax.Function, suspects: str) -> None:
        self.sequence = Sequence()
        self._suspects = suspects
        self._known: dict[relax.Var, Any] = {}
        self._constants: dict[Any, Ref] = {}
        for var in main.params:
            self._known[var] = Ref("input", len(self.sequence.inputs))
            self.sequence.inputs.append(self._tensor(var.ty))
        for block in main.body.blocks:
            for binding in block.bindings:
                self._known[binding.var] = self._value(binding.value, binding.var)
        self._read_results(main.body.body)

    def _value(self, value: Any, var: relax.Var) -> Any:
        if not isinstance(value, relax.Call):
            return self._ref(value)
        if isinstance(value.op, tvm.ir.GlobalVar):
            args = tuple(self._ref(arg) for arg in value.args)
            self.sequence.calls.append(Call(value.op.name_hint, args))
            return None
        if isinstance(value.op, relax.ExternFunc):
            return self._external(str(value.op.global_symbol), value)
        if value.op.name == "relax.call_builtin_with_ctx":
            return self._external(str(value.args[0].global_symbol), value)
        return self._operator(str(value.op.name), var)

    def _external(self, name: str, call: relax.Call) -> Any:
        if name in _CHECKS:
            return None
        if name == "vm.builtin.reshape":
            return self._ref(call.args[0])
        raise self._unsupported(name)

    def _operator(self, name: str, var: relax.Var) -> Any:
        if name in _NO_STEP:
            return None
        if name != "relax.vm.alloc_tensor":
            raise self._unsupported(name)
        self.sequence.temporaries.append(self._tensor(var.ty).bytes)
        return Ref("temporary", len(self.sequence.temporaries) - 1)

    def _ref(self, value: Any) -> Any:
        if isinstance(value, relax.Var):
            return self._known[value]
        if isinstance(value, relax.Tuple):
            return tuple(self._ref(each) for each in value.fields)
        if isinstance(value, relax.TupleGetItem):
            return self._ref(value.tuple_value)[value.index]
        if isinstance(value, tvm.ir.GenericConst):
            return self._constant(value)
        raise self._unsupported(type(value).__name__)

    def _constant(self, value: Any) -> Ref:
        if value not in self._constants:
            self._constants[value] = Ref("constant", len(self.sequence.constants))
            self.sequence.constants.append(value.value.numpy())
        return self._constants[value]

    def _tensor(self, kind: Any) -> Tensor:
        shape = getattr(getattr(kind, "shape", None), "values", None)
        if shape is None or not all(isinstance(size, tvm.tirx.IntImm) for size in shape):
            raise self._unsupported(f"a value of type {kind}")
        return Tensor(tuple(int(size) for size in shape), str(kind.dtype))

    def _unsupported(self, what: str) -> BuildError:
        name = what.removeprefix("relax.").removeprefix("vm.builtin.")
        named = (
            f"{self._suspects}, whose result's size depends on the data"
            if self._suspects
            else f"'{name}', which is not a kernel of a fixed shape"
        )
        return BuildError(
            f"standalone: the model has {named}; cut the network before it and do the rest in the "
            "program, or write the kind that needs TVM: export_library, --kind vm"
        )

    def _read_results(self, result: Any) -> None:
        """Lets kernels write outputs in place; what they did not compute is copied."""
        refs = self._ref(result)
        several = not isinstance(refs, Ref)
        written: dict[Ref, Ref] = {}
        for index, ref in enumerate(refs if several else [refs]):
            output = Ref("output", index)
            self.sequence.outputs.append(
                self._tensor(result.ty.fields[index] if several else result.ty)
            )
            if ref.space == "temporary" and ref not in written:
                written[ref] = output
            else:
                self.sequence.copies.append((output, ref))
        _rename(self.sequence, written)


def _rename(sequence: Sequence, names: Mapping[Ref, Ref]) -> None:
    sequence.calls = [
        Call(kernel, tuple(names.get(arg, arg) for arg in args)) for kernel, args in sequence.calls
    ]
    sequence.copies = [(output, names.get(ref, ref)) for output, ref in sequence.copies]
