"""Writes all that a race on a GPU needs into a folder.

So the machine with the GPU needs neither TVM nor a compiler.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

from tvm.target import Target
from tvm.tirx import PrimFunc

from relay_passes.lower_gpu_kernels import COMPACT
from te_schedules.epilogue import Step
from te_schedules.gpu.conv2d import conv2d, sum_parts
from te_schedules.gpu.conv2d_binding import GpuConv2d
from te_schedules.gpu.conv2d_cost import GpuLists, busy_warps
from te_schedules.gpu.conv2d_geometry import GpuGeometry
from te_schedules.gpu.conv2d_schedule import GpuSchedule
from te_schedules.gpu.conv2d_space import best_schedules
from te_schedules.gpu.epilogue import OperandSpec
from te_schedules.window import Window
from tvm_patdnn.bench.gpu.compile_cuda import compile_cuda
from tvm_patdnn.bench.gpu.layer_case import LAYERS, Layer, LayerCase, LayerLaunch, Variant
from tvm_patdnn.bench.gpu.layer_case import layer_weight as weight_of
from tvm_patdnn.machine.gpu_model import GpuModel
from tvm_patdnn.sparse.fkw import FKW, pack_fkw
from tvm_patdnn.standalone.device_code import DeviceFunction, device_code

__all__ = ["PLANS", "LayerPlan", "write_bundle"]

CONSIDERED = 2000  # schedules, the best by the model, among which different ones are looked for


@dataclass(frozen=True, kw_only=True)
class LayerPlan:
    """How many schedules of each layer are raced.

    Attributes:
        busy: warps of a multiprocessor, of which the best schedule with as many is raced, too.
    """

    variant: Variant
    batch: int
    storage: str = "float32"
    schedules: int = 3
    busy: tuple[int, ...] = ()


PLANS = (
    LayerPlan(variant="blocks of 4", batch=1, schedules=8, busy=(12, 16, 24, 32, 48)),
    LayerPlan(variant="free", batch=1, schedules=5, busy=(16, 24, 32, 48)),
    LayerPlan(variant="blocks of 4", batch=8, schedules=3),
    LayerPlan(variant="blocks of 4", batch=1, storage="float16", schedules=2),
    LayerPlan(variant="dense", batch=1, schedules=3),
    LayerPlan(variant="free", batch=8, schedules=2),
)


def write_bundle(
    folder: Path,
    target: Target,
    layers: Sequence[Layer] = LAYERS,
    plans: Sequence[LayerPlan] = PLANS,
    progress: Callable[[str], None] = lambda text: None,
) -> list[LayerCase]:
    """Writes the kernels of all layers and plans, and ``cases.json``.

    Args:
        target: of CUDA, whose machine code is written, or another, whose source is.
        progress: told each module that is written.

    Raises:
        BenchError: nvcc is missing or refuses a kernel.
    """
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [(layer, plan) for plan in plans for layer in layers]
    cases: list[LayerCase] = []

    def work(job: tuple[Layer, LayerPlan]) -> list[LayerCase]:
        layer, plan = job
        name = f"{layer.name}-{plan.variant}-{plan.batch}-{plan.storage}".replace(" ", "-")
        made = _write_module(folder, name, target, layer, plan)
        progress(f"{name}: {len(made)} kernels")
        return made

    with ThreadPoolExecutor(2) as pool:
        for made in pool.map(work, jobs):
            cases += made
    text = "\n".join(json.dumps(case.as_json()) for case in cases)
    (folder / "cases.jsonl").write_text(f"{text}\n")
    return cases


def _write_module(
    folder: Path, name: str, target: Target, layer: Layer, plan: LayerPlan
) -> list[LayerCase]:
    """Writes all kernels of a layer and a plan into one file."""
    weight, ids, patterns, group = weight_of(layer, plan.variant)
    shape = (plan.batch, layer.in_c, layer.side, layer.side)
    geometry = GpuGeometry.of(
        Window((3, 3), padding=(1, 1)), shape, (plan.batch, layer.out_c, *shape[2:])
    )
    counts = tuple(int((ids[::group] == p).sum()) for p in range(len(patterns)))
    lists = GpuLists(patterns=patterns, counts=counts, groups=-(-layer.out_c // group), group=group)
    gpu = GpuModel.from_target(target)
    kernels: list[tuple[GpuConv2d, float]] = []
    functions: dict[str, PrimFunc] = {}
    packed: dict[int, FKW] = {}
    for schedule, micros in _raced(geometry, lists, gpu, plan):
        band = schedule.window
        packed[band] = packed.get(band) or pack_fkw(weight, ids, patterns, group, band)
        kernel = GpuConv2d(
            geometry=geometry,
            fkw=packed[band],
            schedule=schedule,
            steps=(Step("add", OperandSpec()), Step("relu")),
            storage=plan.storage,
        )
        functions[f"conv{len(kernels)}"] = conv2d(kernel)
        if kernel.splits > 1:
            functions[f"sum{len(kernels)}"] = sum_parts(kernel)
        kernels.append((kernel, micros))
    ours = {name: func.with_attr(COMPACT, True) for name, func in functions.items()}
    code = device_code(ours, target)
    module = _compile(folder, name, target, code.source)
    return [
        LayerCase(
            layer=layer,
            batch=plan.batch,
            variant=plan.variant,
            storage=plan.storage,
            schedule=asdict(kernel.schedule),
            channel=kernel.tile.channel // kernel.schedule.columns,
            micros=micros,
            module=module,
            launches=tuple(
                launch
                for part in ("conv", "sum")
                if f"{part}{i}" in functions
                for launch in _launches(functions[f"{part}{i}"], code.functions[f"{part}{i}"])
            ),
        )
        for i, (kernel, micros) in enumerate(kernels)
    ]


def _raced(
    geometry: GpuGeometry, lists: GpuLists, gpu: GpuModel, plan: LayerPlan
) -> list[tuple[GpuSchedule, float]]:
    """Returns the best schedules by the model that differ, and those that the plan wants busy."""
    scored = [
        (schedule, found.micros)
        for schedule, found in best_schedules(geometry, lists, gpu, CONSIDERED)
    ]
    chosen = list(islice(_different(scored), plan.schedules))
    for busy in plan.busy:
        chosen += islice(
            (
                each
                for each in scored
                if each not in chosen and busy_warps(geometry, lists, each[0], gpu) >= busy
            ),
            1,
        )
    return chosen


def _different(scored: Iterable[tuple[GpuSchedule, float]]) -> Iterator[tuple[GpuSchedule, float]]:
    """Yields what differs from all before in the shape of its tile, or in who computes it."""
    shapes: set[tuple[int, ...]] = set()
    shares: set[tuple[int, ...]] = set()
    for s, micros in scored:
        shape, share = (s.lanes_x, s.rows, s.columns), (s.warps, s.groups, s.splits, s.rows)
        if shape in shapes and share in shares:
            continue
        shapes.add(shape)
        shares.add(share)
        yield s, micros


def _launches(func: PrimFunc, compiled: DeviceFunction) -> Iterator[LayerLaunch]:
    names = [str(parameter.name) for parameter in func.params]
    for launch in compiled.launches:
        yield LayerLaunch(
            kernel=launch.kernel,
            arguments=tuple(names[argument.number] for argument in launch.arguments),
            grid=launch.grid,
            block=launch.block,
        )


def _compile(folder: Path, name: str, target: Target, source: str) -> str:
    """Writes machine code for CUDA, and the source for other targets; returns the file's name."""
    if target.kind.name != "cuda":
        (folder / f"{name}.cl").write_text(source)
        return f"{name}.cl"
    path = folder / f"{name}.cubin"
    compile_cuda(source, path, str(target.attrs["arch"]), "--use_fast_math")
    return path.name
