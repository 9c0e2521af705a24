"""Compiles kernels for this machine and runs them, as the kernels' tests need it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import torch
import tvm
from tvm.tirx import Buffer, PrimFunc

from te_schedules.cpu.conv2d import Conv2d, conv2d
from te_schedules.cpu.conv2d_binding import Conv2dBinding, Products
from te_schedules.cpu.conv2d_geometry import Conv2dGeometry, holding
from te_schedules.cpu.conv2d_products import PatternProducts
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule
from te_schedules.cpu.lane_layout import Halo, LaneLayout
from te_schedules.cpu.lane_split import best_split
from te_schedules.cpu.tile_store import OperandSpec
from te_schedules.cpu.vector_code import prim_func
from te_schedules.epilogue import Step
from te_schedules.window import Window
from tvm_patdnn.machine.targets import resolve_target
from tvm_patdnn.sparse.fkw import pack_fkw
from tvm_patdnn.sparse.packed_kernels import PackedKernels
from tvm_patdnn.sparse.patterns import Pattern, find_patterns

__all__ = [
    "ConvCase",
    "assert_close",
    "assert_stored",
    "bound_kernel",
    "compiled",
    "full_pattern",
    "native",
    "pattern_weight",
    "random_array",
    "run_bound",
    "run_kernel",
]

PICTURES = (
    "##./##./...",
    "##./.##/...",
    "###/.#./...",
    "#../.#./..#",
    "..#/.##/.#.",
    ".../.#./...",
)


@cache
def native() -> tvm.target.Target:
    return resolve_target()


def compiled(func: PrimFunc, target: tvm.target.Target | None = None) -> tvm.runtime.Executable:
    mod = tvm.IRModule({"main": func.with_attr("global_symbol", "main")})
    return tvm.compile(mod, target=target or native())


def run_kernel(
    func: PrimFunc, arguments: Sequence[np.ndarray], out_shape: Sequence[int]
) -> np.ndarray:
    """Runs the kernel; what it does not write is NaN."""
    output = tvm.runtime.tensor(np.full(out_shape, np.nan, np.float32))
    compiled(func).jit()["main"](*[tvm.runtime.tensor(a) for a in arguments], output)
    return output.numpy()


def random_array(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def bound_kernel(
    case: ConvCase, body: Callable[[Conv2dBinding, Buffer], None], results: int
) -> PrimFunc:
    """A function of a convolution's arguments whose output has ``results`` float32.

    Args:
        body: emits its code, given the convolution and the output.
    """
    kernel = case.kernel()
    in_shape = case.in_layout().shape(case.batch, case.channels)
    params = [("data", in_shape, "float32"), *kernel.params, ("output", (results,), "float32")]

    def emit(data: Buffer, *buffers: Buffer) -> None:
        body(kernel.bind(data, buffers[:-1], buffers[-1]), buffers[-1])

    return prim_func(params, emit)


def run_bound(
    case: ConvCase, body: Callable[[Conv2dBinding, Buffer], None], results: int
) -> np.ndarray:
    """Runs ``bound_kernel``; what it does not write is NaN."""
    packed = case.in_layout().pack(case.data)
    arguments = (packed, *case.kernel().constants.values(), *case.operands)
    return run_kernel(bound_kernel(case, body, results), arguments, (results,))


def assert_close(got: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)


def assert_stored(stored: np.ndarray, layout: LaneLayout, expected: np.ndarray) -> None:
    """Checks every vector, with those of the halo; only the odd one out may be anything."""
    used = layout.rows * layout.row_vectors * layout.lanes
    assert_close(stored[:, :, :used], layout.pack(expected)[:, :, :used])


def full_pattern(height: int, width: int) -> Pattern:
    return Pattern(kernel_shape=(height, width), taps=tuple(np.ndindex(height, width)))


def pattern_weight(
    filters: int,
    channels: int,
    pictures: Sequence[str] = PICTURES,
    density: float = 0.5,
    seed: int = 0,
) -> np.ndarray:
    """A weight whose kernels have the given patterns; 1 - density of them are gone."""
    rng = np.random.default_rng(seed)
    masks = np.array([Pattern.from_picture(picture).mask() for picture in pictures])
    mask = masks[rng.integers(len(masks), size=(filters, channels))]
    mask = mask & (rng.random((filters, channels)) < density)[:, :, None, None]
    return (rng.uniform(0.5, 1.5, mask.shape) * mask).astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class ConvCase:
    """One convolution, its schedule, and the layouts that its kernel needs.

    Attributes:
        weight: (filters, channels of a group, kh, kw).
        padding: top, left, bottom, right.
        dense: store all weights, as for a layer that was not pruned.
        halo: of the output.
        products: the innermost code.
        pack: stores kernels in the order of the model; FKW without it.
    """

    weight: np.ndarray
    size: tuple[int, int] = (9, 11)
    batch: int = 1
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (1, 1, 1, 1)
    groups: int = 1
    lanes: int = 8
    dense: bool = False
    schedule: Conv2dSchedule = field(default_factory=lambda: Conv2dSchedule(rows=1, vectors=1))
    halo: Halo = field(default_factory=Halo)
    steps: tuple[Step[OperandSpec], ...] = ()
    operands: tuple[np.ndarray, ...] = ()
    products: Products = field(default_factory=PatternProducts)
    pack: Callable[..., PackedKernels] | None = None

    @property
    def channels(self) -> int:
        return self.weight.shape[1] * self.groups

    @property
    def data(self) -> np.ndarray:
        return random_array(self.batch, self.channels, *self.size, seed=7)

    @property
    def out_size(self) -> tuple[int, int]:
        height, width = (
            (extent + before + after - (taps - 1) * gap - 1) // step + 1
            for extent, before, after, taps, gap, step in zip(
                self.size,
                self.padding[:2],
                self.padding[2:],
                self.weight.shape[2:],
                self.dilation,
                self.stride,
                strict=True,
            )
        )
        return height, width

    def reference(self) -> np.ndarray:
        top, left, bottom, right = self.padding
        data = torch.nn.functional.pad(torch.from_numpy(self.data), (left, right, top, bottom))
        return torch.nn.functional.conv2d(
            data,
            torch.from_numpy(self.weight),
            stride=self.stride,
            dilation=self.dilation,
            groups=self.groups,
        ).numpy()

    @property
    def window(self) -> Window:
        return Window(self.weight.shape[2:], self.stride, self.dilation, self.padding[:2])

    def out_layout(self) -> LaneLayout:
        """The best split for the output, with steps enough to hold the input."""
        split = holding(best_split(*self.out_size, self.lanes), self.window, *self.size)
        return LaneLayout(split, self.halo)

    def in_layout(self) -> LaneLayout:
        return self.geometry().in_layout

    def geometry(self) -> Conv2dGeometry:
        in_shape = (self.batch, self.channels, *self.size)
        return Conv2dGeometry.of(self.window, in_shape, len(self.weight), self.out_layout())

    def fkw(self) -> PackedKernels:
        found = find_patterns(self.weight)
        patterns, ids = found.patterns, found.ids
        if self.dense:
            patterns, ids = (full_pattern(*self.weight.shape[2:]),), np.zeros_like(ids)
        kernels, schedule = (self.weight, self._expanded(ids), patterns), self.schedule
        if self.pack is not None:
            return self.pack(*kernels, schedule.band)
        return pack_fkw(*kernels, schedule.group, schedule.band, schedule.chunks)

    def _expanded(self, ids: np.ndarray) -> np.ndarray:
        """Places the kernels of each group at their absolute input channels."""
        expanded = np.full((len(ids), self.channels), -1, np.int32)
        for filters, channels in zip(
            np.split(np.arange(len(ids)), self.groups),
            np.split(np.arange(self.channels), self.groups),
            strict=True,
        ):
            expanded[np.ix_(filters, channels)] = ids[filters]
        return expanded

    def func(self) -> PrimFunc:
        return conv2d(self.kernel())

    def kernel(self) -> Conv2d:
        return Conv2d(
            geometry=self.geometry(),
            fkw=self.fkw(),
            schedule=self.schedule,
            steps=self.steps,
            products=self.products,
        )

    def run(self, data: np.ndarray | None = None) -> np.ndarray:
        """Returns the stored output."""
        packed = self.in_layout().pack(self.data if data is None else data)
        arguments = (packed, *self.kernel().constants.values(), *self.operands)
        shape = self.out_layout().shape(self.batch, len(self.weight))
        return run_kernel(self.func(), arguments, shape)

    def check(self) -> None:
        assert_stored(self.run(), self.out_layout(), self.reference())
