"""The convolutions of a quantised network as tasks for tuning."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from relay_passes.int8.plan import Int8Plan, PlannedKernel
from te_schedules.cpu.int8.choose_conv2d import GENERATORS, AnyConv2d, choose_conv2d, conv2d_cost
from te_schedules.cpu.int8.conv2d import kind_of
from te_schedules.cpu.int8.flat_strip import FlatStrip
from te_schedules.cpu.int8.layer import Int8Layer
from te_schedules.cpu.int8.plain_instructions import plain
from te_schedules.cpu.int8.planes import stored_shape
from te_schedules.cpu.int8.strip_configuration import StripConfiguration
from te_schedules.cpu.int8.strip_features import strip_features
from te_schedules.cpu.int8.strip_kernel import StripConv2d
from te_schedules.cpu.int8.strip_space import strip_kernel, tuning_strips
from te_schedules.cpu.int8.tap_products import TapProducts
from te_schedules.cpu.int8.winograd_features import tile_features
from te_schedules.cpu.int8.winograd_kernel import TileConv2d
from te_schedules.cpu.int8.winograd_schedule import TileSchedule
from te_schedules.cpu.int8.winograd_space import tile_kernel, tile_kernels
from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.records.families import Configuration
from tvm_patdnn.records.tuning_key import TuningKey
from tvm_patdnn.sparse.pack_quads import pack_taps
from tvm_patdnn.tuning.problem import TrialKernel, TuningTask
from tvm_patdnn.tuning.space import Space

__all__ = ["StripProblem", "int8_conv2d_tasks"]

_PLAIN = plain(4, 16)  # instructions that every machine has

Kernels = Mapping[Configuration, AnyConv2d]


@dataclass(frozen=True, kw_only=True, eq=False)
class StripProblem:
    """See ``Problem``."""

    layer: Int8Layer
    cpu: CpuModel

    @property
    def plainest(self) -> TrialKernel:
        """See ``Problem``."""
        layer = self.layer
        strip = FlatStrip(layer=layer, instructions=_PLAIN, rows=1)
        quads = pack_taps(layer.weight, 1, layer.groups)
        return _trial(StripConv2d(products=TapProducts(quads=quads, strip=strip), tile=1))

    @property
    def out_shape(self) -> tuple[int, ...]:
        """See ``Problem``."""
        return stored_shape(self.layer.out_shape)

    @property
    def out_dtype(self) -> str:
        """See ``Problem``."""
        return "uint8"

    @property
    def compared(self) -> int:
        """See ``Problem``."""
        return math.prod(self.layer.out_shape) // math.prod(self.out_shape[:2])

    def kernel(self, configuration: Configuration) -> TrialKernel:
        """See ``Problem``."""
        kernel: AnyConv2d | None
        if isinstance(configuration, TileSchedule):
            kernel = tile_kernel(configuration, self.layer, self.cpu)
        else:
            assert isinstance(configuration, StripConfiguration)
            kernel = strip_kernel(configuration, self.layer, self.cpu)
        assert kernel is not None, "it is of the layer's space"
        return _trial(kernel)

    def arguments(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """See ``Problem``."""
        rng, layer = np.random.default_rng(0), self.layer
        shapes: list[tuple[int, ...]] = [stored_shape(layer.in_shape)]
        if layer.store.residual is not None:
            shapes.append(self.out_shape)
        data, *other = (rng.integers(0, 256, shape, np.uint8) for shape in shapes)
        return [data], other


def _trial(kernel: AnyConv2d) -> TrialKernel:
    func = GENERATORS[type(kernel)](kernel)
    return TrialKernel(func=func, constants=list(kernel.constants.values()))


def int8_conv2d_tasks(plan: Int8Plan, cpu: CpuModel) -> list[TuningTask]:
    """Returns the distinct convolutions, in order."""
    found: dict[TuningKey, list[PlannedKernel]] = {}
    for each in plan.kernels.values():
        if not each.layer.flat:
            found.setdefault(each.key, []).append(each)
    return [_task(alike, cpu) for alike in found.values()]


def _task(alike: Sequence[PlannedKernel], cpu: CpuModel) -> TuningTask:
    first = alike[0]
    layer = first.layer
    kinds = (True,) if kind_of(layer, True) in ("dense", "depthwise") else (False, True)
    strips: dict[Configuration, AnyConv2d] = {
        StripConfiguration.of(kernel, sparse=sparse): kernel
        for sparse in kinds
        for kernel in tuning_strips(layer, cpu, sparse=sparse)
    }
    tiles: dict[Configuration, AnyConv2d] = {}
    if first.transforms:
        tiles = {kernel.schedule: kernel for kernel in tile_kernels(layer, cpu)}
    kernels = strips | tiles
    starts = [_start(strips, sparse, cpu) for sparse in kinds]
    starts += [_start(tiles, False, cpu)] if tiles else []
    default = choose_conv2d(layer, cpu, sparse=first.sparse, transforms=first.transforms)
    by_transforms = isinstance(default, TileConv2d)
    return TuningTask(
        key=first.key,
        layers=[each.convolution.name for each in alike],
        space=Space(
            list(kernels),
            sorted(starts, key=partial(_is_no_default, by_transforms)),
            partial(_describe, kernels, cpu),
        ),
        problem=StripProblem(layer=layer, cpu=cpu),
    )


def _start(kernels: Kernels, sparse: bool, cpu: CpuModel) -> Configuration:
    """Returns what is chosen without measuring: the cheapest, not cut into more than cores."""
    own = {
        point: kernel
        for point, kernel in kernels.items()
        if point.sparse == sparse and _chunks(kernel) <= cpu.num_cores
    }
    return min(own, key=lambda point: conv2d_cost(own[point], cpu))


def _is_no_default(by_transforms: bool, point: Configuration) -> tuple[bool, bool]:
    """Whether a start is not what is built by default, by what that is: False comes first."""
    return isinstance(point, TileSchedule) != by_transforms, not point.sparse


def _chunks(kernel: AnyConv2d) -> int:
    return kernel.schedule.chunks if isinstance(kernel, TileConv2d) else kernel.chunks


def _describe(kernels: Kernels, cpu: CpuModel, point: Configuration) -> Mapping[str, float]:
    kernel = kernels[point]
    if isinstance(kernel, TileConv2d):
        return tile_features(kernel, cpu)
    return strip_features(kernel, cpu, sparse=point.sparse)
