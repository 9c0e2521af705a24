"""What the cost model gives all convolutions of a network, pruned and as if they were dense."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from relay_passes.gpu.plan_gpu import PlannedKernel, plan_gpu
from relay_passes.pipeline import canonical_passes
from relay_passes.relax_ir.rebuild_main import MainRebuilder
from tvm_patdnn.compilation import Compilation, Request
from tvm_patdnn.importing.onnx_file import ModelSource
from tvm_patdnn.machine.gpu_model import GpuModel

__all__ = ["NetworkPrediction", "networks_section", "predict_network"]

HEAD = """## Whole networks

The sums over all convolutions of a network at batch 1, not from machine code but from the cost
model that chooses the kernels, which also counts latencies, launches and the second-level cache.
*Dense* is the same network with the best schedule of our dense kernels. Its constants follow what
single layers took on an H100; whole networks there, with all that is between convolutions, took
1.0 to 1.4 times what it says (`docs/gpu-speed.md`).

| network | GPU | pruned, us | dense, us | dense / pruned | of the peak | kernels |
|---|---|---|---|---|---|---|"""


@dataclass(frozen=True, kw_only=True)
class NetworkPrediction:
    """Microseconds of all convolutions.

    Attributes:
        share: of the GPU's peak rate, by the kept multiply-adds.
        kinds: how many convolutions get which kernel.
    """

    pruned: float
    dense: float
    share: float
    kinds: Mapping[str, int]


def predict_network(model: ModelSource, arch: str) -> NetworkPrediction:
    """Returns what the model finds for a network, with fixed input shapes.

    Args:
        arch: of the CUDA GPU, such as "sm_80".
    """
    request = Request(onnx_model=model, target=f"cuda -arch={arch}")
    compilation = Compilation.of(request, lambda phase: None)
    gpu = GpuModel.from_target(compilation.target)
    module = compilation.model.module
    for each in canonical_passes():
        module = each(module)
    main = MainRebuilder(module)
    plan = plan_gpu(main.bindings, main.result, compilation.options.gpu_plan(gpu))
    return _prediction(list(plan.values()), gpu)


def _prediction(kernels: Sequence[PlannedKernel], gpu: GpuModel) -> NetworkPrediction:
    pruned = sum(each.choice.micros for each in kernels)
    dense = sum(each.choice.considered[0].micros for each in kernels)
    macs = sum(each.layer.kept_macs for each in kernels)
    return NetworkPrediction(
        pruned=pruned,
        dense=dense,
        share=macs / gpu.peak / pruned,
        kinds=Counter(each.choice.kind for each in kernels),
    )


def networks_section(networks: Mapping[str, ModelSource], arches: Sequence[str]) -> str:
    """Returns the section of the page for networks by name."""
    lines = [HEAD]
    for name, model in networks.items():
        for arch in arches:
            found = predict_network(model, arch)
            kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(found.kinds.items()))
            lines.append(
                f"| {name} | {arch} | {found.pruned:.0f} | {found.dense:.0f} | "
                f"{found.dense / found.pruned:.1f} | {found.share:.2f} | {kinds} |"
            )
    return "\n".join([*lines, ""])
