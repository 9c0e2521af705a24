"""The order of all passes, from an imported module to one that TVM lowers.

Canonical form:  constants folded, batch norm folded
Our kernels:     convolutions and what stands between them; fully connected layers
The rest:        legalised, fused and scheduled: as tuned, else plainly
Lowering:        TVM's own, to the virtual machine's code
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import tvm
from tvm import relax

from relay_passes.apply_tuned_schedules import ApplyTunedSchedules
from relay_passes.fold_batch_norm import FoldBatchNorm
from relay_passes.fold_constant_views import FoldConstantViews
from relay_passes.raise_elementwise import RaiseElementwise
from relay_passes.raise_pixel_shuffle import RaisePixelShuffle, legalize_pixel_shuffle
from relay_passes.rewrite_fully_connected import RewriteFullyConnected
from relay_passes.rewrite_to_lanes import RewriteToLanes
from relay_passes.schedule_fallback import ScheduleFallback
from relay_passes.tuned_convolutions import TunedConvolutions, channels_last
from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.optimizations import Optimizations
from tvm_patdnn.records.tuning_records import Records

__all__ = [
    "PipelineOptions",
    "canonical_passes",
    "kernel_passes",
    "lowering_passes",
    "run_pipeline",
]

Phase = tuple[str, list[tvm.transform.Pass]]


@dataclass(frozen=True, kw_only=True)
class PipelineOptions:
    """What the passes need to know.

    Attributes:
        cpu: the CPU that kernels are made for.
        names: names of layers by ``weight_key`` of their weights.
        optimizations: which of them are used.
        records: measured schedules; layers without one are left to the cost model.
        tuned: convolutions that stay TVM's own operator, scheduled as its tuner found best.
        dump: a folder for the module after each pass, as TVMScript.
    """

    cpu: CpuModel
    names: Mapping[str, str] = field(default_factory=dict)
    optimizations: Optimizations = field(default_factory=Optimizations)
    records: Records = field(default_factory=dict)
    tuned: TunedConvolutions = field(default_factory=dict)
    dump: Path | None = None


def canonical_passes() -> list[tvm.transform.Pass]:
    """Brings a module into the form in which operators are recognised."""
    return [
        FoldConstantViews(),
        RaiseElementwise(),
        RaisePixelShuffle(),
        FoldBatchNorm(),
        relax.transform.DeadCodeElimination(),
    ]


def kernel_passes(options: PipelineOptions) -> list[tvm.transform.Pass]:
    """Rewrites what we have kernels for."""
    return [
        RewriteToLanes(
            cpu=options.cpu,
            names=options.names,
            optimizations=options.optimizations,
            records=options.records,
            tuned=options.tuned,
        ),
        RewriteFullyConnected(cpu=options.cpu, sparse=options.optimizations.sparse),
        relax.transform.DeadCodeElimination(),
    ]


def fallback_passes(options: PipelineOptions) -> list[tvm.transform.Pass]:
    """Gives every other operator a plain schedule."""
    return [
        *(channels_last() if options.tuned else []),
        relax.transform.LegalizeOps({"relax.nn.pixel_shuffle": legalize_pixel_shuffle}),
        relax.transform.AnnotateTIROpPattern(),
        relax.transform.FoldConstant(),
        relax.transform.FuseOps(),
        relax.transform.FuseTIR(),
        ApplyTunedSchedules(tuned=options.tuned),
        ScheduleFallback(cpu=options.cpu),
    ]


def lowering_passes() -> list[tvm.transform.Pass]:
    """Lowers to the virtual machine, with memory planned ahead."""
    return [
        relax.transform.RewriteDataflowReshape(),
        relax.transform.ToNonDataflow(),
        relax.transform.RemovePurityChecking(),
        relax.transform.CallTIRRewrite(),
        relax.transform.StaticPlanBlockMemory(),
        relax.transform.LowerAllocTensor(),
        relax.transform.KillAfterLastUse(),
        relax.transform.LowerRuntimeBuiltin(),
        relax.transform.ComputePrimValue(),
        relax.transform.VMShapeLower(),
        relax.transform.AttachGlobalSymbol(),
    ]


def run_pipeline(
    mod: tvm.IRModule,
    options: PipelineOptions,
    progress: Callable[[str], None] = lambda phase: None,
) -> tvm.IRModule:
    """Runs all passes but the lowering ones, which ``relax.build`` runs.

    Args:
        progress: told the name of each phase as it begins.
    """
    phases: list[Phase] = [
        ("canonical form", canonical_passes()),
        ("our kernels", kernel_passes(options)),
        ("the rest", fallback_passes(options)),
    ]
    step = 0
    for name, passes in phases:
        progress(name)
        for each in passes:
            mod = each(mod)
            step += 1
            _dump(mod, options.dump, step, str(each.info.name))
    return mod


def _dump(mod: tvm.IRModule, folder: Path | None, step: int, name: str) -> None:
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{step:02d}-{name}.py").write_text(mod.script(show_meta=False))
