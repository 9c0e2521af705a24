"""Sets of instructions that kernels are tried with, and layers that no tile divides."""

from __future__ import annotations

import numpy as np
import pytest
from tvm.tirx import Select
from tvm.tirx.script import builder as T

from te_schedules.cpu.int8.instruction_sets import INSTRUCTION_SETS
from te_schedules.cpu.int8.instructions import Instructions
from te_schedules.cpu.int8.interleave import interleave_taps, pixel_of_lane
from te_schedules.cpu.int8.layer import Int8Layer, Residual
from te_schedules.cpu.int8.plain_instructions import plain
from te_schedules.cpu.vector_code import Expr, shuffled
from tests.te_schedules.cpu.int8.int8_reference import int8_layer
from tests.te_schedules.cpu.lane_kernels import native
from tvm_patdnn.machine.cpu_model import CpuModel

__all__ = [
    "LAYERS",
    "LONG_REACH",
    "RESIDUAL",
    "RUN_HERE",
    "pruned_weight",
    "sample_layer",
    "usable",
]

NAMES = ("avx512-vbmi", "avx512-vnni", "avx-vnni", "avx2", "i8mm", "dotprod", "neon", "plain")
FOLLOWS = {"avx512-vbmi": ("avx512-vnni", "avx2"), "avx512-vnni": ("avx2",), "avx-vnni": ("avx2",)}
X86 = {*FOLLOWS, "avx2"}


def _far(values: Expr, index: Expr) -> Expr:
    """Permutes 64 bytes by permutations of 16."""
    parts = [range(16 * part, 16 * part + 16) for part in range(4)]
    found = []
    for own in parts:
        at = T.reinterpret("int8x16", shuffled([index], own))
        part_of = at >> T.Broadcast(T.int8(4), 16)
        result = T.Broadcast(T.int8(0), 16)
        for number, part in enumerate(parts):
            table = T.reinterpret("int8x16", shuffled([values], part))
            inside = at & T.Broadcast(T.int8(15), 16)
            near = T.call_llvm_pure_intrin("int8x16", "llvm.x86.ssse3.pshuf.b.128", table, inside)
            chosen = part_of == T.Broadcast(T.int8(number), 16)
            result = Select(chosen, near, result)
        found.append(T.reinterpret("uint8x16", result))
    return shuffled(found, range(64))


_PLAIN = plain(16, 32)
LONG_REACH = Instructions(  # as AVX-512 VBMI, for machines that lack it
    name="long reach",
    lanes=16,
    registers=32,
    dot=lambda sums, values, weights: _PLAIN.dot(sums, *map(_by_tap, (values, weights))),
    dot_operations=1,
    order=lambda pixel, tap: 4 * pixel + tap,
    interleave=lambda taps: interleave_taps(taps, 64),
    pixel=pixel_of_lane,
    spread=INSTRUCTION_SETS["avx512-vbmi"].spread,
    reach=64,
    permute=_far,
)


def _by_tap(values: Expr) -> Expr:
    return shuffled([values], [4 * pixel + tap for tap in range(4) for pixel in range(16)])


def usable() -> set[str]:
    """Names of the sets that this machine runs."""
    best = CpuModel.from_target(native()).dots
    return {best, *FOLLOWS.get(best, ()), "plain"}


def _set(name: str) -> object:
    found = plain(8, 16) if name == "plain" else INSTRUCTION_SETS[name]
    lacks = pytest.mark.skipif(name not in usable(), reason=f"this CPU has no {name}")
    return pytest.param(found, marks=lacks, id=name)


RUN_HERE = [
    *map(_set, NAMES[:4]),
    _set("plain"),
    pytest.param(
        LONG_REACH,
        marks=pytest.mark.skipif(not usable() & X86, reason="byte shuffles of x86"),
        id="long reach",
    ),
]


def pruned_weight(*shape: int, keep: float = 0.5, seed: int = 1) -> np.ndarray:
    """Random int8, of which so many are not 0; the largest come in pairs."""
    rng = np.random.default_rng(seed)
    weight = rng.integers(-128, 128, shape) * (rng.random(shape) < keep)
    return np.asarray(weight, np.int8)


PADDED = {"padding": (1, 1, 1, 1)}
ODD = {"padding": (2, 0, 1, 3), "stride": (3, 1), "dilation": (1, 2)}
STEPPED = {"stride": (2, 2)}
RESIDUAL = Residual(scale=0.3137, zero=9, low=-40.21, high=50.17)  # no ties in float32
ROUNDED = Residual(scale=0.3137, zero=9, low=-40, high=50, own=0.7071)
LAYERS = {
    "3x3": ((8, 6, 3, 3), (9, 11), PADDED),
    "3x3, large": ((5, 9, 3, 3), (13, 37), PADDED),
    "3x3, residual": ((4, 5, 3, 3), (9, 33), {**PADDED, "residual": RESIDUAL, "low": 90}),
    "3x3 on few pixels": ((6, 7, 3, 3), (7, 7), PADDED),
    "3x3 on whole patches": ((4, 5, 3, 3), (8, 22), PADDED),
    "3x3 on 14": ((4, 3, 3, 3), (14, 14), PADDED),
    "3x3 on one row": ((4, 4, 3, 3), (1, 3), PADDED),
    "3x3, stride 2": ((8, 5, 3, 3), (9, 11), {**PADDED, **STEPPED}),
    "3x3, stride 2, padded behind": ((4, 5, 3, 3), (16, 20), {"padding": (0, 0, 1, 1), **STEPPED}),
    "5x3, all else": ((8, 6, 5, 3), (12, 17), ODD),
    "7x7, stride 2": ((4, 3, 7, 7), (21, 23), {"padding": (3, 3, 3, 3), **STEPPED}),
    "1x1": ((8, 6, 1, 1), (9, 11), {}),
    "1x1, residual": ((8, 9, 1, 1), (5, 13), {"residual": RESIDUAL}),
    "1x1, rounded residual": ((8, 9, 1, 1), (5, 13), {"residual": ROUNDED}),
    "1x1, stride 2": ((8, 9, 1, 1), (5, 13), STEPPED),
    "depthwise": ((8, 1, 3, 3), (9, 40), {**PADDED, "groups": 8}),
    "groups": ((8, 3, 3, 3), (9, 10), {**PADDED, "groups": 2}),
}  # fmt: skip


def sample_layer(name: str, keep: float = 0.5, batch: int = 2) -> Int8Layer:
    """A layer of ``LAYERS``."""
    shape, size, options = LAYERS[name]
    channels = shape[1] * options.get("groups", 1)
    return int8_layer(pruned_weight(*shape, keep=keep), (batch, channels, *size), **options)
