"""Lowers kernels for CPUs: TVM's own passes, without those that only GPUs need.

TVM's default pipeline also looks for what our kernels never have: shared memory, software
pipelines, buffers to compact, conditions to hoist. On unrolled kernels that search takes
most of the lowering, and leaves them as they are. What does nothing is left for LLVM to drop.
"""

from __future__ import annotations

from collections.abc import Callable

import tvm
from tvm import s_tir, tirx
from tvm.tirx.compilation_pipeline import register_tir_pipeline

__all__ = ["finishing_passes", "kernel_pipeline", "loop_passes"]

Finish = Callable[[], tvm.transform.Pass]

_NAME = "tvm_patdnn_cpu"


def kernel_pipeline() -> str:
    """Returns the name by which ``relax.build`` finds the pipeline."""
    register_tir_pipeline(_NAME, _pipeline)
    return _NAME


def loop_passes() -> list[tvm.transform.Pass]:
    """Lowers what functions do to loops over flat buffers, and checks it."""
    return [*_blocks_to_loops(), *_loops_to_vectors(), *_checked_functions()]


def finishing_passes() -> list[tvm.transform.Pass]:
    """Lowers functions, whatever they are called with, to what LLVM's code generator takes."""
    return [
        *_stored_types(),
        tirx.transform.LowerTVMBuiltin(),
        tirx.transform.LowerIntrin(),
    ]


def _pipeline() -> tuple[tvm.transform.Pass, Finish, Finish]:
    """Returns what lowers a module, then its host functions, then those of devices."""
    sequence = tvm.transform.Sequential
    lower = sequence([*loop_passes(), *_packed_functions()])
    finish = sequence([tirx.transform.LowerTVMBuiltin(), tirx.transform.LowerIntrin()])
    return lower, lambda: finish, lambda: sequence([])


def _blocks_to_loops() -> list[tvm.transform.Pass]:
    return [
        s_tir.transform.CanonicalizeLoop(),
        s_tir.transform.LowerInitBlock(),
        s_tir.transform.PlanAndUpdateBufferAllocationLocation(),
        s_tir.transform.ConvertBlocksToOpaque(),
        s_tir.transform.LowerMatchBuffer(),
        s_tir.transform.LowerOpaqueBlock(),
    ]


def _loops_to_vectors() -> list[tvm.transform.Pass]:
    return [
        tirx.transform.FlattenBuffer(),
        tirx.transform.BF16ComputeLegalize(),
        tirx.transform.NarrowDataType(32),
        tirx.transform.VectorizeLoop(True),
        tirx.transform.StorageRewrite(),
        tirx.transform.UnrollLoop(),
        tirx.transform.StmtSimplify(),
        s_tir.transform.RewriteUnsafeSelect(),
        tirx.transform.CommonSubexprElim(),
    ]


def _checked_functions() -> list[tvm.transform.Pass]:
    return [tirx.transform.FP8ComputeLegalize(), tirx.transform.VerifyMemory()]


def _packed_functions() -> list[tvm.transform.Pass]:
    return [
        tirx.transform.AnnotateEntryFunc(),
        tirx.transform.SplitHostDevice(),
        tirx.transform.MakePackedAPI(),
        *_stored_types(),
    ]


def _stored_types() -> list[tvm.transform.Pass]:
    return [tirx.transform.FP8StorageLegalize(), tirx.transform.BF16StorageLegalize()]
