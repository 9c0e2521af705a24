"""Runs kernels on an emulated AArch64 device, as a C program calls them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import tvm

from tests.aarch64.emulated_device import COMPILER, EMULATOR
from tvm_patdnn.machine.targets import resolve_target
from tvm_patdnn.standalone.kernels import compile_kernels
from tvm_patdnn.standalone.stages import Stage

__all__ = ["run_emulated"]

C_COMPILER = COMPILER.replace("g++", "gcc")
PROGRAM = """
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
{declarations}
static void *memory(long size) {{ return aligned_alloc(64, (size + 127) / 64 * 64); }}
int main(void) {{
  FILE *file = fopen("arguments", "rb");
{reads}
  {calls}
  file = fopen("result", "wb");
  return fwrite(p{last}, 1, {size}, file) != {size} || fclose(file);
}}
"""


def run_emulated(
    func: tvm.tirx.PrimFunc,
    arguments: Sequence[np.ndarray],
    output: np.ndarray,
    target: str,
    cpu: str,
    folder: Path,
) -> np.ndarray:
    """Returns what a kernel makes of ``arguments`` and of ``output``, its last argument."""
    for tool in (C_COMPILER, EMULATOR):
        if shutil.which(tool) is None:
            pytest.skip(f"no {tool}: apt-get install g++-aarch64-linux-gnu qemu-user-static")
    resolved = resolve_target(target)
    mod = tvm.IRModule({"kernel": func.with_attr("global_symbol", "kernel")})
    for old in folder.glob("kernels*.o"):
        old.unlink()
    kernel = compile_kernels(mod, {"kernel"}, resolved, "m", folder)["kernel"]
    assert not kernel.shared
    arrays = [*arguments, output]
    (folder / "arguments").write_bytes(b"".join(each.tobytes() for each in arrays))
    (folder / "main.c").write_text(_program(kernel.stages, [each.nbytes for each in arrays]))
    objects = [path.name for path in folder.glob("kernels*.o")]
    line = [C_COMPILER, "-O1", "-static", "main.c", *objects, "-lm", "-o", "program"]
    subprocess.run(line, cwd=folder, check=True)
    subprocess.run([EMULATOR, "-cpu", cpu, "./program"], cwd=folder, check=True)
    found = np.frombuffer((folder / "result").read_bytes(), output.dtype)
    return found.reshape(output.shape)


def _program(stages: Sequence[Stage], sizes: Sequence[int]) -> str:
    reads = [
        f"  void *p{i} = memory({size}); if (fread(p{i}, 1, {size}, file) != {size}) return 2;"
        for i, size in enumerate(sizes)
    ]
    declared, calls = [], []
    for stage in stages:
        places = [
            f"p{n}" if kind == "parameter" else f"scratch + {n}" for kind, n in stage.arguments
        ]
        words = ["void *"] * len(places)
        if stage.iterations > 1:
            words, places = [*words, "int32_t", "int32_t"], [*places, "0", str(stage.iterations)]
        declared.append(f"int {stage.symbol}({', '.join(words)});")
        call = f"{stage.symbol}({', '.join(places)})"
        calls.append(f"{{ char *scratch = memory({stage.scratch}); if ({call}) return 3; }}")
    return PROGRAM.format(
        declarations="\n".join(declared),
        reads="\n".join(reads),
        calls="\n  ".join(calls),
        last=len(sizes) - 1,
        size=sizes[-1],
    )
