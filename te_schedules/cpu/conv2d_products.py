"""The products of a tile with kernels whose patterns are known when code is generated.

Each input vector of a tile is loaded once for all taps and filters that need it (load
redundancy elimination; PatDNN, section 5.4).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from tvm.tirx import Buffer

from te_schedules.cpu.conv2d_binding import Conv2dBinding, Corner
from te_schedules.cpu.conv2d_geometry import Conv2dGeometry
from te_schedules.cpu.conv2d_inputs import load_input
from te_schedules.cpu.conv2d_lists import ListedKernel, kernels_of_run
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule, Hold
from te_schedules.cpu.conv2d_tile import Tile
from te_schedules.cpu.tile_reads import Batch, Place, input_batches, tile_reads
from te_schedules.cpu.vector_code import Expr
from tvm_patdnn.sparse.fkw import FKW
from tvm_patdnn.sparse.packed_kernels import PackedKernels
from tvm_patdnn.sparse.patterns import Pattern

__all__ = ["PatternProducts", "add_kernel"]


@dataclass(frozen=True)
class PatternProducts:
    """Each pattern has its own code, and its own run of kernels in every slot."""

    taps: str = "code"

    def check(self, fkw: PackedKernels, schedule: Conv2dSchedule) -> None:
        """See ``Products``."""
        if not isinstance(fkw, FKW):
            raise ValueError(
                f"kernels stored as {type(fkw).__name__}: expected FKW, with a run for each "
                "pattern; give TableProducts for kernels in another order"
            )

    def constants(self, geometry: Conv2dGeometry, fkw: PackedKernels) -> dict[str, np.ndarray]:
        """See ``Products``."""
        return {}

    def loads(
        self, geometry: Conv2dGeometry, fkw: PackedKernels, p: int, places: Sequence[Place]
    ) -> int:
        """See ``Products``."""
        return len(tile_reads(fkw.patterns[p], places, geometry.stride, geometry.dilation))

    def registers(self, conv: Conv2dBinding) -> tuple[int, int]:
        """See ``Products``."""
        if conv.schedule.hold is Hold.WEIGHTS:
            return max((len(p) for p in conv.fkw.patterns), default=1) * conv.fkw.group, 1
        of_tile = (conv.places, conv.geometry.stride, conv.geometry.dilation)
        reads = [tile_reads(pattern, *of_tile) for pattern in conv.fkw.patterns]
        batches = [batch for each in reads for batch in input_batches(each)]
        return 1, max(map(len, batches), default=1)

    def add_group(self, conv: Conv2dBinding, tile: Tile, corner: Corner, slot: Expr) -> None:
        """See ``Products``."""
        for p, pattern in enumerate(conv.fkw.patterns):
            with kernels_of_run(conv, slot, p) as kernel:
                add_kernel(conv, tile, corner, pattern, kernel)


def add_kernel(
    conv: Conv2dBinding, tile: Tile, corner: Corner, pattern: Pattern, kernel: ListedKernel
) -> None:
    """Emits the products of one kernel, or of one for each filter of a group."""
    products = _KernelProducts(conv, tile, corner, kernel)
    if conv.schedule.hold is Hold.WEIGHTS:
        products.add_holding_weights(pattern)
        return
    for batch in input_batches(conv.reads(pattern, tile)):
        products.add_holding_inputs(batch)


@dataclass(frozen=True)
class _KernelProducts:
    """Emits the products of one kernel."""

    conv: Conv2dBinding
    tile: Tile
    corner: Corner
    kernel: ListedKernel

    @property
    def _group(self) -> range:
        return range(self.conv.fkw.group)

    def add_holding_weights(self, pattern: Pattern) -> None:
        conv, tile, held = self.conv, self.tile, self.tile.inputs[0]
        of_tap = dict[tuple[int, int], Buffer]()
        for (tap, f), register in zip(
            itertools.product(range(len(pattern)), self._group), tile.weights, strict=False
        ):
            of_tap[tap, f] = register
            conv.code.set(register, self._weight(tap, f))
        for place, uses in conv.reads(pattern, tile).items():
            conv.code.set(held, self._input(place))
            for (tap, output), f in itertools.product(uses, self._group):
                tile.multiply_add(f, output, of_tap[tap, f], held)

    def add_holding_inputs(self, batch: Batch) -> None:
        uses_of_tap: dict[int, list[tuple[Place, Buffer]]] = {}
        for held, (place, uses) in zip(self.tile.inputs, batch, strict=False):
            self.conv.code.set(held, self._input(place))
            for tap, output in uses:
                uses_of_tap.setdefault(tap, []).append((output, held))
        weight = self.tile.weights[0]
        for (tap, served), f in itertools.product(uses_of_tap.items(), self._group):
            self.conv.code.set(weight, self._weight(tap, f))
            for output, held in served:
                self.tile.multiply_add(f, output, weight, held)

    def _input(self, place: Place) -> Expr:
        return load_input(self.conv, self.tile, self.corner, self.kernel, place)

    def _weight(self, tap: int, f: int) -> Expr:
        at = self.kernel.weight + (tap * self.conv.fkw.group + f)
        return self.conv.code.broadcast(self.conv.stored["weight"][at])
