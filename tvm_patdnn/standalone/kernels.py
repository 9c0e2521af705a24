"""Compiles the kernels of a lowered module to object files of plain functions, several at once."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
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
_PARTS = 8  # object files: the same on all machines, and even enough for a few cores
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


def compile_kernels(
    mod: tvm.IRModule,
    names: Collection[str],
    target: tvm.target.Target,
    prefix: str,
    folder: Path,
) -> dict[str, Kernel]:
    """Writes object files ``kernels*.o`` that need nothing but the C library.

    Args:
        mod, names, target, prefix: as of ``split_kernels``.

    Returns:
        The kernels, whose stages are the functions in these files.

    Raises:
        BuildError: a kernel calls TVM's runtime; it is named.
    """
    chosen = sorted(names)
    parts = [chosen[i::_PARTS] for i in range(max(1, min(_PARTS, len(chosen))))]
    files = [f"kernels{i}.o" for i in range(len(parts))]
    with objects_in_memory(folder, files), ThreadPoolExecutor(host_cores()) as pool:
        compiled = [
            pool.submit(_compiled, mod, part, target, prefix, folder / file)
            for part, file in zip(parts, files, strict=True)
        ]
        try:
            made = [each.result() for each in compiled]
        except BaseException:  # an interruption, too
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    for file, (_, content) in zip(files, made, strict=True):
        (folder / file).unlink(missing_ok=True)
        (folder / file).write_bytes(content)
    return {name: kernel for kernels, _ in made for name, kernel in kernels.items()}


def _compiled(
    mod: tvm.IRModule, names: Collection[str], target: tvm.target.Target, prefix: str, path: Path
) -> tuple[dict[str, Kernel], bytes]:
    """Compiles some of the kernels by way of a file; returns its content, too."""
    kernels = split_kernels(mod, names, target, prefix)
    stages = [stage for kernel in kernels.values() for stage in kernel.stages]
    _write_object(stages, target, path)
    content = path.read_bytes()
    needed = {name.decode() for name in re.findall(_OF_TVM, content)}
    if needed:
        raise BuildError(
            f"standalone: a kernel calls TVM's runtime ({', '.join(sorted(needed))}); write the "
            "kind that needs TVM: export_library, --kind vm; and please report the model"
        )
    return kernels, content


def _write_object(stages: Sequence[Stage], target: tvm.target.Target, path: Path) -> None:
    mod = tvm.IRModule({stage.symbol: stage.function for stage in stages})
    with tvm.transform.PassContext(config=_CONFIG):
        mod = tvm.transform.Sequential(finishing_passes())(mod)
        built = tvm.get_global_func("target.build.llvm")(mod, target)
    built.write_to_file(str(path), "o")


def _identifier(name: str) -> str:
    return re.sub(r"\W", "_", name)
