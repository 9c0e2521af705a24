"""Compiles kernels for a GPU: one source, and how each function's kernels are launched.

Before:  functions with regions of threads, one after the other; static shapes
After:   a source with a kernel for each region; for each function the launches in order
Ensures: what a function allocates between its launches is listed as "shared" by them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import tvm
from tvm import tirx

from relay_passes.lower_gpu_kernels import finishing_device_passes, split_passes
from tvm_patdnn.errors import BuildError
from tvm_patdnn.library.cuda_binary import source_for_cuda
from tvm_patdnn.standalone.stages import Argument
from tvm_patdnn.standalone.tensor_bytes import tensor_bytes

__all__ = ["DeviceCode", "DeviceFunction", "Launch", "device_code"]

Size = tuple[int, int, int]

_CONFIG = {"tirx.disable_assert": True}
_DYNAMIC_SHARED = "tirx.use_dyn_shared_memory"


class Launch(NamedTuple):
    """One kernel of a function.

    Attributes:
        kernel: its name in the source.
        arguments: what it is given, in its own order: parameters of the function, or "shared"
            buffers.
        grid: blocks along x, y, z.
        block: threads of a block along x, y, z.
        dynamic_shared: bytes of shared memory that are given at the launch.
    """

    kernel: str
    arguments: tuple[Argument, ...]
    grid: Size
    block: Size
    dynamic_shared: int = 0


class DeviceFunction(NamedTuple):
    """The launches of a function in order, and the bytes of buffers that they share."""

    launches: tuple[Launch, ...]
    shared: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class DeviceCode:
    """What functions become.

    Attributes:
        source: in the target's language.
        functions: by name.
    """

    source: str
    functions: Mapping[str, DeviceFunction]


def device_code(functions: Mapping[str, tirx.PrimFunc], target: tvm.target.Target) -> DeviceCode:
    """Compiles ``functions``, by name, to a source for the target, a GPU with its host.

    Raises:
        BuildError: a function does what no fixed sequence of launches can; it is named.
    """
    named = {name: func.with_attr("global_symbol", name) for name, func in functions.items()}
    mod = tirx.transform.BindTarget(target)(tvm.IRModule(named))
    with tvm.transform.PassContext(config=_CONFIG):
        mod = tvm.transform.Sequential(split_passes())(mod)
        device = {v: f for v, f in mod.functions.items() if f.attrs.get("tirx.is_global_func")}
        source = _source(device)
    hosts = {v.name_hint: f for v, f in mod.functions.items() if v not in device}
    return DeviceCode(
        source=source, functions={name: _Host(name).read(hosts[name]) for name in functions}
    )


def _source(device: Mapping[Any, tirx.PrimFunc]) -> str:
    if not device:
        return ""
    target = next(iter(device.values())).attrs["target"]
    mod = tvm.transform.Sequential(finishing_device_passes())(tvm.IRModule(dict(device)))
    build = tvm.get_global_func(f"target.build.{target.kind.name}")
    with source_for_cuda():
        return str(build(mod, target).inspect_source())


class _Host:
    """Reads the host's function of one kernel."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._places: dict[Any, Argument] = {}
        self._shared: list[int] = []

    def read(self, func: tirx.PrimFunc) -> DeviceFunction:
        self._places = {var: Argument("parameter", i) for i, var in enumerate(func.params)}
        return DeviceFunction(tuple(self._launches(func.body)), tuple(self._shared))

    def _launches(self, statement: tirx.Stmt) -> Iterator[Launch]:
        if isinstance(statement, tirx.SeqStmt):
            for each in statement.seq:
                yield from self._launches(each)
        elif isinstance(statement, tirx.AttrStmt):
            yield from self._launches(statement.body)
        elif isinstance(statement, tirx.DeclBuffer):
            self._places[statement.buffer] = self._place(statement.data)
        elif isinstance(statement, tirx.AllocBuffer):
            self._places[statement.buffer] = Argument("shared", len(self._shared))
            kind = statement.buffer.ty
            self._shared.append(tensor_bytes([int(n) for n in kind.shape], str(kind.dtype)))
        elif _called(statement) == "tirx.call_ffi_kernel":
            yield self._launch(statement.value)
        elif not isinstance(statement, tirx.Evaluate):
            raise self._unsupported(type(statement).__name__)

    def _launch(self, call: Any) -> Launch:
        tags = [str(tag) for tag in call.attrs.launch_params]
        name, *args = call.args
        pointers, sizes = args[: len(args) - len(tags)], args[len(args) - len(tags) :]
        extents = dict(zip(tags, map(self._number, sizes), strict=True))
        return Launch(
            kernel=str(name.value),
            arguments=tuple(self._place(pointer) for pointer in pointers),
            grid=_size(extents, "blockIdx"),
            block=_size(extents, "threadIdx"),
            dynamic_shared=extents.get(_DYNAMIC_SHARED, 0),
        )

    def _place(self, pointer: Any) -> Argument:
        """Which buffer ``pointer``, the data of one, is."""
        buffer = pointer.args[0] if hasattr(pointer, "args") else pointer
        if buffer not in self._places:
            raise self._unsupported("a number as an argument")
        return self._places[buffer]

    def _number(self, value: Any) -> int:
        if not isinstance(value, tirx.IntImm):
            raise self._unsupported("sizes that are not fixed")
        return int(value)

    def _unsupported(self, what: str) -> BuildError:
        return BuildError(
            f"kernel '{self._name}': {what}, where only launches of fixed sizes can be run on a "
            "GPU; cut the network before it, or build for a CPU; and please report the model"
        )


def _called(statement: tirx.Stmt) -> str:
    value = getattr(statement, "value", None)
    return str(getattr(getattr(value, "op", None), "name", ""))


def _size(extents: Mapping[str, int], kind: str) -> Size:
    x, y, z = (extents.get(f"{kind}.{axis}", 1) for axis in "xyz")
    return x, y, z
