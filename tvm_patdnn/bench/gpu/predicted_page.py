"""Writes the page of predicted speeds, from the machine code of each layer's best schedule."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from te_schedules.gpu.conv2d_schedule import GpuSchedule
from tvm_patdnn.bench.gpu.layer_case import LAYERS, Layer, LayerCase, Variant, layer_weight
from tvm_patdnn.bench.gpu.machine_code import KernelCode, disassemble
from tvm_patdnn.bench.gpu.predict import Prediction, Work, predict
from tvm_patdnn.bench.gpu.write_bundle import LayerPlan, write_bundle
from tvm_patdnn.machine.gpu_model import GpuModel
from tvm_patdnn.machine.targets import resolve_target

__all__ = ["ARCHES", "predicted_page"]

ARCHES = ("sm_80", "sm_90")
VARIANTS: tuple[Variant, ...] = ("blocks of 4", "free")
DENSE_SHARE = 0.85  # of the peak, of a dense fp32 kernel

HEAD = """# Predicted speed on GPUs

Nothing on this page is a measured time; those of an H100 are in `docs/gpu-speed.md`. It is what
the machine code that nvcc makes of the kernels allows, written by `python -m tvm_patdnn.bench.gpu
predict docs/gpu-predicted.md`, for the layers of VGG-16 at batch 1, pruned to 8 patterns of 4 and
3.6x connectivity (8.1x in all).

*Loop* is the share of the peak rate of float32 multiply-adds in the innermost loops, *whole* that
of a multiprocessor with the loads of all windows, *tail* the share of multiprocessors that work, as
blocks come whole. *Share* is whole times tail. A share is an upper bound: the model counts
instructions, products and accesses to shared memory, and supposes that latencies are hidden and
that the caches deliver in time; what divides the channels over blocks is followed by a small
kernel that adds the parts, whose time is in neither. *Against dense* compares the time with that of
all 9 taps of all kernels at 0.85 of the same peak, without tensor cores.
"""


@dataclass(frozen=True, kw_only=True)
class _Row:
    layer: Layer
    schedule: GpuSchedule
    found: Prediction
    faster: float


def predicted_page(layers: Iterable[Layer] = LAYERS) -> str:
    """Returns the page; takes minutes."""
    parts = [HEAD]
    for arch in ARCHES:
        gpu = GpuModel.from_target(resolve_target(f"cuda -arch={arch}"))
        for variant in VARIANTS:
            with tempfile.TemporaryDirectory() as folder:
                rows = list(_rows(Path(folder), arch, gpu, variant, tuple(layers)))
            parts.append(_section(f"{gpu.name} ({arch}), {_called(variant)}", rows))
    return "\n".join(parts)


def _called(variant: Variant) -> str:
    return "free kernels" if variant == "free" else f"filters in {variant}"


def _rows(
    folder: Path, arch: str, gpu: GpuModel, variant: Variant, layers: tuple[Layer, ...]
) -> Iterator[_Row]:
    plan = LayerPlan(variant=variant, batch=1, schedules=1)
    for case in write_bundle(folder, resolve_target(f"cuda -arch={arch}"), layers, [plan]):
        code = disassemble(folder / case.module)[case.launches[0].kernel]
        yield _row(case, code, gpu)


def _row(case: LayerCase, code: KernelCode, gpu: GpuModel) -> _Row:
    schedule, launch = GpuSchedule(**case.schedule), case.launches[0]
    layer, (_, ids, patterns, group) = case.layer, layer_weight(case.layer, case.variant)
    kept = int((ids >= 0).sum())
    lists = ids.shape[0] // group
    work = Work(
        macs=kept * len(patterns[0]) * layer.side**2,
        kernels=kept / group / lists * schedule.groups / schedule.splits,
        windows=-(-layer.in_c // schedule.window) / schedule.splits,
        warps=schedule.warps,
        blocks=math.prod(launch.grid),
        columns=schedule.columns,
    )
    found = predict(code, work, gpu)
    dense = layer.dense_macs / gpu.peak / DENSE_SHARE
    return _Row(layer=layer, schedule=schedule, found=found, faster=dense / found.micros)


def _section(title: str, rows: list[_Row]) -> str:
    lines = [
        f"## {title}",
        "",
        "| layer | loop | whole | tail | share | us | against dense | schedule |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        f, layer = row.found, row.layer
        lines.append(
            f"| {layer.name} {layer.in_c}->{layer.out_c}@{layer.side} | {f.inner:.2f} | "
            f"{f.whole:.2f} | {f.tail:.2f} | {f.share:.2f} | {f.micros:.1f} | {row.faster:.1f} | "
            f"{_schedule(row.schedule)} |"
        )
    mean = math.exp(sum(math.log(row.faster) for row in rows) / len(rows))
    return "\n".join([*lines, "", f"Geometric mean against dense: {mean:.1f}.", ""])


def _schedule(s: GpuSchedule) -> str:
    split = f", channels in {s.splits} parts" if s.splits > 1 else ""
    return (
        f"{s.lanes_x} lanes x {s.rows} rows x {s.columns}, {s.warps} warps x {s.groups}, "
        f"{s.window} channels{split}"
    )
