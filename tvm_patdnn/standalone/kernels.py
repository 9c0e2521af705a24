"""Compiles the kernels of a lowered module to object files of plain functions, several at once."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import tvm
from tvm import tirx

from relay_passes.lower_kernels import finishing_passes, loop_passes
from tvm_patdnn.errors import BuildError
from tvm_patdnn.library.object_files import objects_in_memory
from tvm_patdnn.machine.cores import host_cores
from tvm_patdnn.standalone.stages import Kernel, Stage, split_kernel

__all__ = ["compile_kernels", "split_kernels"]

_CONFIG = {"tirx.disable_assert": True}  # checks of every call would be most of the code
_PARTS = 4  # object files: the same on all machines, and even enough for a few cores
_OF_TVM = rb"__?TVM\w+|TVM(?:FFI|Backend)\w+"


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


def compile_kernels(kernels: Mapping[str, Kernel], target: tvm.target.Target, folder: Path) -> None:
    """Writes object files ``kernels*.o`` that need nothing but the C library.

    Raises:
        BuildError: a kernel calls TVM's runtime; it is named.
    """
    stages = [stage for kernel in kernels.values() for stage in kernel.stages]
    parts = [stages[i::_PARTS] for i in range(max(1, min(_PARTS, len(stages))))]
    names = [f"kernels{i}.o" for i in range(len(parts))]
    with objects_in_memory(folder, names), ThreadPoolExecutor(host_cores()) as pool:
        compiled = [
            pool.submit(_compile, part, target, folder / name)
            for part, name in zip(parts, names, strict=True)
        ]
        contents = [each.result() for each in compiled]
    for name, content in zip(names, contents, strict=True):
        (folder / name).unlink(missing_ok=True)
        (folder / name).write_bytes(content)


def _compile(stages: Sequence[Stage], target: tvm.target.Target, path: Path) -> bytes:
    mod = tvm.IRModule({stage.symbol: stage.function for stage in stages})
    with tvm.transform.PassContext(config=_CONFIG):
        mod = tvm.transform.Sequential(finishing_passes())(mod)
        built = tvm.get_global_func("target.build.llvm")(mod, target)
    built.write_to_file(str(path), "o")
    content = path.read_bytes()
    needed = {name.decode() for name in re.findall(_OF_TVM, content)}
    if needed:
        raise BuildError(
            f"standalone: a kernel calls TVM's runtime ({', '.join(sorted(needed))}); write the "
            "kind that needs TVM: export_library, --kind vm; and please report the model"
        )
    return content


def _identifier(name: str) -> str:
    return re.sub(r"\W", "_", name)
