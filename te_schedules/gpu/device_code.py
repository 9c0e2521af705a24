"""Compiles one kernel to the source of its device, with what a host has to pass to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import tvm
import tvm_ffi
from tvm import tirx
from tvm.target import Target
from tvm.tirx import PrimFunc
from tvm.tirx.build import split_host_device_mods

__all__ = ["NOT_FOR_OURS", "DeviceCode", "Launch", "device_code"]

NOT_FOR_OURS = ["s_tir.CompactBufferAllocation"]  # takes seconds on unrolled code, finds nothing


@dataclass(frozen=True, kw_only=True)
class Launch:
    """A call of a device function.

    Attributes:
        function: its name in the source.
        arguments: names of the PrimFunc's parameters, in the order in which it takes them.
        grid, block: sizes (x, y, z).
    """

    function: str
    arguments: tuple[str, ...]
    grid: tuple[int, int, int]
    block: tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class DeviceCode:
    """The source of a kernel and its one call."""

    source: str
    launch: Launch


def device_code(func: PrimFunc, target: Target, name: str = "main") -> DeviceCode:
    """Compiles a function of one kernel for a device, which need not be present."""
    mod = tvm.IRModule({name: func.with_attr("global_symbol", name)})
    lower, _, finish_device = tirx.get_default_tir_pipeline(target)
    with tvm.transform.PassContext(disabled_pass=NOT_FOR_OURS):
        host, devices = split_host_device_mods(lower(tirx.transform.BindTarget(target)(mod)))
    ((device_target, device),) = devices.items()
    build = tvm.get_global_func(f"target.build.{device_target.kind.name}")
    source = build(finish_device()(device), device_target).inspect_source()
    (kernel,) = device.functions.values()
    (call,) = _calls(host)
    return DeviceCode(source=str(source), launch=_launch(kernel, call))


def _calls(host: tvm.IRModule) -> list[Any]:
    found: list[Any] = []

    def visit(node: Any) -> None:
        if getattr(node.op, "name", "") == "tirx.call_ffi_kernel":
            found.append(node)

    for func in host.functions.values():
        tvm_ffi.structural_walk(func.body, (tvm.ir.Call, visit), order="post")
    return found


def _launch(kernel: PrimFunc, call: Any) -> Launch:
    names = tuple(str(p.name).removesuffix("_ptr") for p in kernel.params)
    tags = [str(tag) for tag in kernel.attrs["tirx.kernel_launch_params"]]
    values = [int(value) for value in call.args[1 + len(names) :]]
    sizes = dict(zip(tags, values, strict=True))
    return Launch(
        function=str(call.args[0].value),
        arguments=names,
        grid=_xyz(sizes, "blockIdx"),
        block=_xyz(sizes, "threadIdx"),
    )


def _xyz(sizes: Mapping[str, int], of: str) -> tuple[int, int, int]:
    x, y, z = (sizes.get(f"{of}.{axis}", 1) for axis in "xyz")
    return x, y, z
