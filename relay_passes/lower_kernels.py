"""Lowers kernels for CPUs: TVM's own passes, without those that only GPUs need.

TVM's default pipeline also looks for what our kernels never have: shared memory, software
pipelines, buffers to compact, conditions to hoist. On unrolled kernels that search takes
most of the lowering, and leaves them as they are.
"""

from __future__ import annotations

from collections.abc import Callable

import tvm
from tvm import s_tir, tirx
from tvm.tirx.compilation_pipeline import register_tir_pipeline

__all__ = ["kernel_pipeline"]

Finish = Callable[[], tvm.transform.Pass]

_NAME = "tvm_patdnn_cpu"


def kernel_pipeline() -> str:
    """Returns the name by which ``relax.build`` finds the pipeline."""
    register_tir_pipeline(_NAME, _pipeline)
    return _NAME


def _pipeline() -> tuple[tvm.transform.Pass, Finish, Finish]:
    """Returns what lowers a module, then its host functions, then those of devices."""
    sequence = tvm.transform.Sequential
    lower = sequence([*_blocks_to_loops(), *_loops_to_vectors(), *_packed_functions()])
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
        tirx.transform.RemoveNoOp(),
        s_tir.transform.RewriteUnsafeSelect(),
        tirx.transform.CommonSubexprElim(),
    ]


def _packed_functions() -> list[tvm.transform.Pass]:
    return [
        tirx.transform.FP8ComputeLegalize(),
        tirx.transform.VerifyMemory(),
        tirx.transform.AnnotateEntryFunc(),
        tirx.transform.SplitHostDevice(),
        tirx.transform.MakePackedAPI(),
        tirx.transform.FP8StorageLegalize(),
        tirx.transform.BF16StorageLegalize(),
    ]
