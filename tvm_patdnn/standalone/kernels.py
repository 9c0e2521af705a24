"""Compiles the kernels of a lowered module to one object file of plain functions."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

import tvm
from tvm import tirx

from relay_passes.lower_kernels import finishing_passes, loop_passes
from tvm_patdnn.errors import BuildError
from tvm_patdnn.library.object_files import objects_in_memory
from tvm_patdnn.standalone.stages import Kernel, split_kernel

__all__ = ["compile_kernels", "split_kernels"]

_CONFIG = {"tirx.disable_assert": True}  # checks of every call would be most of the code


def split_kernels(
    mod: tvm.IRModule, names: Collection[str], target: tvm.target.Target, prefix: str
) -> dict[str, Kernel]:
    """Lowers the kernels ``names`` of a module and splits them into stages.

    Args:
        prefix: of the names of all stages, so that several models fit into one program.
    """
    chosen = {
        var: func.with_attr("global_symbol", var.name_hint)
        for var, func in mod.functions.items()
        if var.name_hint in names
    }
    lowered = tirx.transform.BindTarget(target)(tvm.IRModule(chosen))
    with tvm.transform.PassContext(config=_CONFIG):
        lowered = tvm.transform.Sequential(loop_passes())(lowered)
    return {
        var.name_hint: split_kernel(func, f"{prefix}_k_{_identifier(var.name_hint)}")
        for var, func in lowered.functions.items()
    }


def compile_kernels(kernels: Mapping[str, Kernel], target: tvm.target.Target, path: Path) -> None:
    """Writes an object file that needs nothing but the C library.

    Raises:
        BuildError: a kernel calls TVM's runtime; it is named.
    """
    stages = [stage for kernel in kernels.values() for stage in kernel.stages]
    mod = tvm.IRModule({stage.symbol: stage.function for stage in stages})
    with tvm.transform.PassContext(config=_CONFIG):
        mod = tvm.transform.Sequential(finishing_passes())(mod)
        built = tvm.get_global_func("target.build.llvm")(mod, target)
    with objects_in_memory(path.parent, [path.name]):
        built.write_to_file(str(path), "o")
        content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)
    needed = {
        name.decode() for name in re.findall(rb"__?TVM\w+|TVM(?:FFI|Backend)\w+", path.read_bytes())
    }
    if needed:
        raise BuildError(
            f"standalone: a kernel calls TVM's runtime ({', '.join(sorted(needed))}); write the "
            "kind that needs TVM: export_library, --kind vm; and please report the model"
        )


def _identifier(name: str) -> str:
    return re.sub(r"\W", "_", name)
