"""Lowers kernels for GPUs: TVM's own passes, without those for processors that we do not know.

Left out is what looks for tensor cores, software pipelines and Hexagon's memory; what is
left is in TVM's order.
"""

from __future__ import annotations

from collections.abc import Callable

import tvm
from tvm import s_tir, tirx
from tvm.ir.transform import PassContext
from tvm.tirx.compilation_pipeline import register_tir_pipeline

__all__ = ["COMPACT", "finishing_device_passes", "gpu_kernel_pipeline", "split_passes"]

COMPACT = "tvm_patdnn.compact"  # an attribute of functions whose buffers are no larger than used

Finish = Callable[[], tvm.transform.Pass]

_NAME = "tvm_patdnn_gpu"


def gpu_kernel_pipeline() -> str:
    """Returns the name by which ``relax.build`` finds the pipeline."""
    register_tir_pipeline(_NAME, _pipeline)
    return _NAME


def split_passes() -> list[tvm.transform.Pass]:
    """Lowers functions, and splits each into kernels and a host's function that launches them."""
    return [*_blocks_to_loops(), *_loops_to_code(), *_threads_to_device()]


def finishing_device_passes() -> list[tvm.transform.Pass]:
    """Lowers kernels to what the code generators take."""
    return [
        tirx.transform.LowerWarpMemory(),
        tirx.transform.StmtSimplify(),
        tirx.transform.LowerIntrin(),
    ]


@tvm.transform.module_pass(opt_level=0, name="CompactBuffers")
class _CompactBuffers:
    """TVM's pass for that, where it is needed: on unrolled kernels it takes seconds."""

    def transform_module(self, mod: tvm.IRModule, _: PassContext) -> tvm.IRModule:
        """Returns the module with buffers no larger than used."""
        done = {v: f for v, f in mod.functions.items() if f.attrs.get(COMPACT)}
        rest = {v: f for v, f in mod.functions.items() if v not in done}
        compact = s_tir.transform.CompactBufferAllocation()(tvm.IRModule(rest))
        return tvm.IRModule({**compact.functions, **done}, attrs=mod.attrs)


def _pipeline() -> tuple[tvm.transform.Pass, Finish, Finish]:
    """Returns what lowers a module, then its host functions, then those of devices."""
    sequence = tvm.transform.Sequential
    lower = sequence([*split_passes(), tirx.transform.MakePackedAPI()])
    host = sequence([tirx.transform.LowerTVMBuiltin(), tirx.transform.LowerIntrin()])
    device = sequence(finishing_device_passes())
    return lower, lambda: host, lambda: device


def _blocks_to_loops() -> list[tvm.transform.Pass]:
    return [
        s_tir.transform.CanonicalizeLoop(),
        s_tir.transform.LowerCrossThreadReduction(),
        s_tir.transform.LowerInitBlock(),
        s_tir.transform.PlanAndUpdateBufferAllocationLocation(),
        s_tir.transform.ConvertBlocksToOpaque(),
        s_tir.transform.LiftThreadBinding(),
        s_tir.transform.ManifestSharedMemoryLocalStage(),
        _CompactBuffers(),
        s_tir.transform.LowerAutoCopy(),
        s_tir.transform.UnifyThreadBinding(),
        s_tir.transform.LowerMatchBuffer(),
        s_tir.transform.StmtSimplify(),
        s_tir.transform.LowerOpaqueBlock(),
    ]


def _loops_to_code() -> list[tvm.transform.Pass]:
    return [
        tirx.transform.FlattenBuffer(),
        tirx.transform.BF16ComputeLegalize(),
        tirx.transform.NarrowDataType(32),
        s_tir.transform.LoopPartition(),
        tirx.transform.VectorizeLoop(True),
        s_tir.transform.InjectVirtualThread(),
        tirx.transform.StorageRewrite(),
        tirx.transform.UnrollLoop(),
        s_tir.transform.RenormalizeSplitPattern(),
        tirx.transform.StmtSimplify(),
        tirx.transform.RemoveNoOp(),
        s_tir.transform.RewriteUnsafeSelect(),
        tirx.transform.CommonSubexprElim(),
    ]


def _threads_to_device() -> list[tvm.transform.Pass]:
    return [
        tirx.transform.VerifyMemory(),
        tirx.transform.AnnotateEntryFunc(),
        s_tir.transform.ThreadSync("shared"),
        s_tir.transform.ThreadSync("shared.dyn"),
        s_tir.transform.ThreadSync("warp"),
        s_tir.transform.LowerThreadAllreduce(),
        s_tir.transform.MergeSharedMemoryAllocations(),
        tirx.transform.SplitHostDevice(),
    ]
