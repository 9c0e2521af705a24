"""The order of all passes, from an imported module to one that TVM lowers.

Int8 kernels:    quantised layers, if there are any, and what stands between them
Canonical form:  constants folded, batch norm folded
Our kernels:     convolutions and what stands between them; fully connected layers
The rest:        legalised, fused and scheduled: as tuned, else plainly (a GPU's by TVM's rules)
Lowering:        TVM's own, to the virtual machine's code
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import tvm
from tvm import relax
from tvm.s_tir import dlight

from relay_passes.embed_constants import EmbedConstants
from relay_passes.fold_batch_norm import FoldBatchNorm
from relay_passes.fold_constant_views import FoldConstantViews
from relay_passes.gpu.plan_gpu import GpuPlanOptions, PlannedKernel
from relay_passes.int8.plan import Int8Plan
from relay_passes.lanes.plan import LanePlan
from relay_passes.lanes.plan_lanes import PlanOptions
from relay_passes.lanes.report_layers import report_layers
from relay_passes.legalize_bounds import BOUNDS
from relay_passes.legalize_take import legalize_take
from relay_passes.mark_gathers import MarkGathers
from relay_passes.raise_elementwise import RaiseElementwise
from relay_passes.raise_pixel_shuffle import RaisePixelShuffle, legalize_pixel_shuffle
from relay_passes.raise_stacked import RaiseStacked
from relay_passes.recognition.analyze_convolutions import ConvLayer
from relay_passes.relax_ir.rebuild_main import MainRebuilder
from relay_passes.relax_ir.reported_layers import noted, reported_layers
from relay_passes.rewrite_fully_connected import RewriteFullyConnected
from relay_passes.rewrite_to_gpu import RewriteToGpu, kernels_of, report_of
from relay_passes.rewrite_to_int8 import RewriteToInt8, is_quantised
from relay_passes.rewrite_to_lanes import RewriteToLanes, plan_of
from relay_passes.schedule_fallback import ScheduleFallback
from tvm_patdnn.layer_report import LayerReport
from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.machine.gpu_model import GpuModel
from tvm_patdnn.optimizations import Optimizations
from tvm_patdnn.records.tuning_records import Records

__all__ = [
    "Extension",
    "PipelineOptions",
    "canonical_passes",
    "int8_passes",
    "kernel_passes",
    "lowering_passes",
    "plan_gpu_pipeline",
    "plan_pipeline",
    "plan_quantised",
    "report_pipeline",
    "run_pipeline",
]

Phase = tuple[str, list[tvm.transform.Pass]]

_LEGALIZED = {
    "relax.nn.pixel_shuffle": legalize_pixel_shuffle,
    "relax.take": legalize_take,
    **BOUNDS,
}


@dataclass(frozen=True, kw_only=True)
class Extension:
    """What a caller adds to the passes, such as a benchmark that has kernels of its own.

    Attributes:
        leaves: which convolutions our kernels leave to TVM.
        before_legalizing: passes over what our kernels left, still as operators.
        before_fallback: passes over its fused functions, which still have no schedule.
    """

    leaves: Callable[[ConvLayer], bool] = lambda layer: False
    before_legalizing: Sequence[tvm.transform.Pass] = ()
    before_fallback: Sequence[tvm.transform.Pass] = ()


@dataclass(frozen=True, kw_only=True)
class PipelineOptions:
    """What the passes need to know.

    Attributes:
        cpu: the CPU that kernels are made for; of a GPU target, the host's.
        gpu: the GPU that kernels are made for, if it is one.
        storage: the type of tensors between a GPU's kernels.
        names: names of layers by ``weight_key`` of their weights.
        optimizations: which of them are used.
        records: measured schedules; layers without one are left to the cost model.
        extension: what the caller adds.
        dump: a folder for the module after each pass, as TVMScript.
    """

    cpu: CpuModel
    gpu: GpuModel | None = None
    storage: str = "float32"
    names: Mapping[str, str] = field(default_factory=dict)
    optimizations: Optimizations = field(default_factory=Optimizations)
    records: Records = field(default_factory=Records)
    extension: Extension = field(default_factory=Extension)
    dump: Path | None = None

    @property
    def plan(self) -> PlanOptions:
        """What the plan of the lanes depends on."""
        return PlanOptions(
            cpu=self.cpu,
            names=self.names,
            optimizations=self.optimizations,
            records=self.records,
            leaves=self.extension.leaves,
        )

    def gpu_plan(self, gpu: GpuModel) -> GpuPlanOptions:
        """What the plan of a GPU's kernels depends on."""
        return GpuPlanOptions(
            gpu=gpu,
            names=self.names,
            optimizations=self.optimizations,
            storage=self.storage,
            records=self.records,
            leaves=self.extension.leaves,
        )


def int8_passes(options: PipelineOptions) -> list[tvm.transform.Pass]:
    """Rewrites what is quantised, before its constants are folded."""
    return [
        FoldConstantViews(integers=False),
        RaiseElementwise(),
        _rewrite_to_int8(options),
    ]


def _rewrite_to_int8(options: PipelineOptions) -> RewriteToInt8:
    return RewriteToInt8(
        cpu=options.cpu,
        names=options.names,
        sparse=options.optimizations.sparse,
        transforms=options.optimizations.transforms,
        records=options.records,
    )


def canonical_passes() -> list[tvm.transform.Pass]:
    """Brings a module into the form in which operators are recognised."""
    return [
        FoldConstantViews(),
        RaiseElementwise(),
        RaisePixelShuffle(),
        RaiseStacked(),
        FoldBatchNorm(),
        relax.transform.DeadCodeElimination(),
    ]


def kernel_passes(options: PipelineOptions) -> list[tvm.transform.Pass]:
    """Rewrites what we have kernels for."""
    if options.gpu is not None:
        return [
            RewriteToGpu(options=options.gpu_plan(options.gpu)),
            relax.transform.DeadCodeElimination(),
        ]
    return [
        RewriteToLanes(options=options.plan),
        RewriteFullyConnected(cpu=options.cpu, sparse=options.optimizations.sparse),
        relax.transform.DeadCodeElimination(),
    ]


def fallback_passes(options: PipelineOptions) -> list[tvm.transform.Pass]:
    """Gives every other operator a plain schedule."""
    return [
        *options.extension.before_legalizing,
        relax.backend.DispatchSortScan(),
        relax.transform.LegalizeOps(_LEGALIZED),
        relax.transform.AnnotateTIROpPattern(),
        MarkGathers(),
        relax.transform.FoldConstant(),
        relax.transform.FuseOps(),
        relax.transform.FuseTIR(),
        *options.extension.before_fallback,
        _plain_schedules(options),
    ]


def _plain_schedules(options: PipelineOptions) -> tvm.transform.Pass:
    if options.gpu is None:
        return ScheduleFallback(cpu=options.cpu)
    rules = [
        dlight.gpu.GEMV,
        dlight.gpu.Reduction,
        dlight.gpu.GeneralReduction,
        dlight.gpu.Fallback,
    ]
    if tvm.target.Target.current().kind.name != "metal":  # there it imports what takes long
        rules.insert(0, dlight.gpu.Matmul)
    return dlight.ApplyDefaultSchedule(*[rule() for rule in rules])


def lowering_passes(embed: EmbedConstants | None = None) -> list[tvm.transform.Pass]:
    """Lowers to the virtual machine, with memory planned ahead.

    Args:
        embed: puts constants into the library; without it the virtual machine holds them.
    """
    return [
        relax.transform.RewriteDataflowReshape(),
        relax.transform.ToNonDataflow(),
        relax.transform.RemovePurityChecking(),
        relax.transform.CallTIRRewrite(),
        *([embed] if embed is not None else []),
        relax.transform.StaticPlanBlockMemory(),
        relax.transform.LowerAllocTensor(),
        relax.transform.KillAfterLastUse(),
        relax.transform.LowerRuntimeBuiltin(),
        relax.transform.ComputePrimValue(),
        relax.transform.VMShapeLower(),
        relax.transform.AttachGlobalSymbol(),
    ]


def plan_pipeline(mod: tvm.IRModule, options: PipelineOptions) -> LanePlan:
    """Returns the plan in lanes that ``run_pipeline`` would follow, without its kernels."""
    return plan_of(_canonical(mod, options), options.plan)


def plan_gpu_pipeline(mod: tvm.IRModule, options: PipelineOptions) -> list[PlannedKernel]:
    """Returns the kernels for a GPU that ``run_pipeline`` would emit, in order."""
    assert options.gpu is not None
    return kernels_of(_canonical(mod, options), options.gpu_plan(options.gpu))


def plan_quantised(mod: tvm.IRModule, options: PipelineOptions) -> Int8Plan | None:
    """Returns the plan in int8 that ``run_pipeline`` would follow; None if nothing is quantised."""
    if not _quantised_passes(mod, options):
        return None
    *before, _ = int8_passes(options)
    for each in before:
        mod = each(mod)
    return _rewrite_to_int8(options).plan(MainRebuilder(mod))


def _canonical(mod: tvm.IRModule, options: PipelineOptions) -> tvm.IRModule:
    for each in [*_quantised_passes(mod, options), *canonical_passes()]:
        mod = each(mod)
    return mod


def _quantised_passes(mod: tvm.IRModule, options: PipelineOptions) -> list[tvm.transform.Pass]:
    return int8_passes(options) if options.gpu is None and is_quantised(mod) else []


def report_pipeline(mod: tvm.IRModule, options: PipelineOptions) -> list[LayerReport]:
    """Returns what ``run_pipeline`` would make of each convolution, without the kernels."""
    mod = _canonical(mod, options)
    if options.gpu is not None:
        return report_of(mod, options.gpu_plan(options.gpu))
    rows = report_layers(plan_of(mod, options.plan))
    return [*reported_layers(mod), *noted(mod, rows)]


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
        ("int8 kernels", _quantised_passes(mod, options)),
        ("canonical form", canonical_passes()),
        ("our kernels", kernel_passes(options)),
        ("the rest", fallback_passes(options)),
    ]
    step = 0
    for name, passes in phases:
        if passes:
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
