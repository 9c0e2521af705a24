"""The loops of a convolution kernel.

They are the paper's: filter, pattern, kernel (PatDNN, section 5.4). The sums of a tile stay
in registers for a whole filter, and each input vector of a tile is loaded once for all taps
that need it (load redundancy elimination). Kernels in another order share no such code:
they find their taps in a table.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from copy import copy

import numpy as np
from tvm import tirx
from tvm.tirx import Buffer
from tvm.tirx.script import builder as T

from te_schedules.cpu.conv2d_geometry import Conv2dGeometry
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule, Hold, Outer, Taps
from te_schedules.cpu.tile_store import TileStore
from te_schedules.cpu.tiling import tile_parts
from te_schedules.cpu.vector_code import Expr, when
from tvm_patdnn.sparse.fkw import FKW
from tvm_patdnn.sparse.patterns import Pattern

__all__ = ["Conv2dCode", "Reads", "input_batches", "tile_reads"]

Reads = dict[tuple[int, int], list[tuple[int, tuple[int, int]]]]
Batch = list[tuple[tuple[int, int], list[tuple[int, tuple[int, int]]]]]


class Conv2dCode:
    """Emits the code of one kernel; holds what all its loops share.

    Args:
        store: where tiles go.
        stored: the buffers of the kernel's constants, by name.
    """

    def __init__(
        self,
        geometry: Conv2dGeometry,
        fkw: FKW,
        schedule: Conv2dSchedule,
        store: TileStore,
        stored: Mapping[str, Buffer],
    ) -> None:
        self.geometry, self.fkw = geometry, fkw
        self.patterns, self.group = fkw.patterns, fkw.group
        self.schedule, self.store, self.code = schedule, store, store.code
        self.stored = stored

    def emit(self, data: Buffer) -> None:
        """Emits the whole kernel over ``data``."""
        rows, columns, chunks = self.store.rows, self.store.columns, self.schedule.chunks
        tiles = rows.count * columns.count
        inner = {Outer.TILE: 1, Outer.ROW: columns.count, Outer.PLANE: tiles}[self.schedule.outer]
        blocks = tiles // inner
        with T.parallel(self.geometry.batch * blocks * chunks) as task:
            self.allocate()
            chunk, block, n = task % chunks, task // chunks % blocks, task // (chunks * blocks)
            first, last = self.groups_of(chunk)
            with (
                T.serial(self.fkw.windows) as step,
                T.serial(last - first) as i,
                T.serial(inner) as t,
            ):
                row, column = self._corner(block * inner + t)
                self._prefetch_window(data, step, chunk, i, n, row, column)
                for part in self._parts(block * inner + t):
                    part._begin_sums(step, i)
                    part._prefetch_store(step, first + i, n, row, column)
                    part._filter_group(data, self._window(step, chunk), first + i, n, row, column)
                    part._end_sums(step, i, first + i, n, row, column)

    def _parts(self, tile: Expr) -> Iterator[Conv2dCode]:
        """Emits a branch for each part of ``tile_parts``, and yields what emits its code."""
        rows, columns = self.store.rows, self.store.columns
        parts = tile_parts(rows, columns)
        if len(parts) == 1:
            yield self
            return
        index, count = tile // columns.count, rows.count
        if columns.overlap:
            index, count = tile % columns.count, columns.count
        with when(index < count - 1):
            yield self
        with when(index == count - 1):
            part = copy(self)
            part.sums = [{place: sums[place] for place in parts[1].places} for sums in self.sums]
            yield part

    def _window(self, step: Expr, chunk: Expr) -> Expr:
        """Returns the window of a step; each chunk begins with its own share of the channels.

        The thread that computes a chunk has, as a rule, computed the same share of the
        input's channels and has them in its caches.
        """
        windows, chunks = self.fkw.windows, self.schedule.chunks
        if windows == 1 or chunks == 1:
            return step
        return (step + chunk * windows // chunks) % windows

    def _prefetch_window(
        self, data: Buffer, step: Expr, chunk: Expr, i: Expr, n: Expr, row: Expr, column: Expr
    ) -> None:
        """Begins to fetch the next window's inputs, of which each filter takes a part.

        Others' shares of them come from other cores' caches, which takes long.
        """
        window = self.schedule.window
        if self.fkw.windows == 1 or window is None:
            return
        reads = sorted({place for pattern in self.patterns for place in self._reads(pattern)})
        corner = self._read_from(row, column)
        row_values = self.geometry.in_layout.row_vectors * self.code.lanes
        part = -(-window // max(1, self.fkw.groups // self.schedule.chunks))
        with T.serial(part) as k:
            of_window = i * part + k
            channel = self._window(step + 1, chunk) * window + of_window
            exists = (of_window < window, channel < self.geometry.in_channels)
            with when(step + 1 < self.fkw.windows, *exists):
                for y, x in reads:
                    place = corner + (y * row_values + x * self.code.lanes)
                    self.code.prefetch(data, n, channel, place, near=False)

    def _prefetch_store(self, step: Expr, g: Expr, n: Expr, row: Expr, column: Expr) -> None:
        """Begins to fetch what the last window's sums will be stored to."""
        with when(*([step == self.fkw.windows - 1] if self.fkw.windows > 1 else [])):
            for f in range(self.group):
                self.store.prefetch(self.sums[f], n, self.filter(g, f), row, column)

    def groups_of(self, chunk: Expr) -> tuple[Expr, Expr]:
        """Returns the first group of filters of a chunk, and the first of the next."""
        return self.stored["chunk"][chunk], self.stored["chunk"][chunk + 1]

    def filter(self, g: Expr, f: int) -> Expr:
        """Returns the output channel of the f-th filter of a group."""
        return tirx.Cast("int32", self.stored["reorder"][g * self.group + f])

    def emit_planes(self, data: Buffer, g: Expr, n: Expr, target: TileStore) -> None:
        """Emits the planes of one group of filters, into the planes (0, f) of the output.

        Args:
            target: where the same planes of the kernel that follows will go.
        """
        tiles = self.store.rows.count * self.store.columns.count
        with T.serial(tiles) as tile:
            row, column = self._corner(tile)
            for f in range(self.group):
                target.prefetch_share(n, self.filter(g, f), tile, tiles)
            for part in self._parts(tile):
                part._clear_sums()
                part._filter_group(data, 0, g, n, row, column)
                for f, sums in enumerate(part.sums):
                    self.store.emit(sums, n, self.filter(g, f), row, column, plane=(0, f))

    def emit_depthwise(self, data: Buffer, f: int, c: Expr, n: Expr) -> None:
        """Emits plane (n, c) of a depthwise convolution over plane (0, f) of ``data``."""
        (pattern,) = self.patterns
        with T.serial(self.store.rows.count * self.store.columns.count) as tile:
            row, column = self._corner(tile)
            for part in self._parts(tile):
                part._clear_sums()
                part._kernel(pattern, data, 0, f, self._read_from(row, column), c * len(pattern))
                self.store.emit(part.sums[0], n, c, row, column)

    def _corner(self, tile: Expr) -> tuple[Expr, Expr]:
        """Returns the first vector of a tile."""
        rows, columns = self.store.rows, self.store.columns
        return rows.start(tile // columns.count), columns.start(tile % columns.count)

    def _read_from(self, row: Expr, column: Expr) -> Expr:
        """Returns where in an input plane the tile at an output vector begins to read."""
        stride, padding = self.geometry.stride, self.geometry.padding
        return self.geometry.in_layout.offset(
            row * stride[0] - padding[0], column * stride[1] - padding[1]
        )

    def allocate(self) -> None:
        """Emits the registers, and memory for the sums between windows."""
        tile = list(itertools.product(range(self.schedule.rows), range(self.schedule.vectors)))
        self.sums = [
            dict(zip(tile, self.code.registers(len(tile)), strict=True)) for _ in range(self.group)
        ]
        if self.fkw.windows > 1:
            most = int(np.diff(self.fkw.balanced_chunks(self.schedule.chunks)).max())
            values = most * self.group * len(tile) * self.code.lanes
            self.partial = T.alloc_buffer((values,), "float32")
        held = max((len(p) for p in self.patterns), default=1)
        if self.schedule.taps is Taps.TABLE:
            held = 1
        if self.schedule.hold is Hold.WEIGHTS:
            self.weights = self.code.registers(held * self.group)
            self.inputs = self.code.registers(1)
            return
        self.weights = self.code.registers(1)
        batches = [batch for p in self.patterns for batch in input_batches(self._reads(p))]
        self.inputs = self.code.registers(max(map(len, batches), default=1))

    def _filter_group(
        self,
        data: Buffer,
        window: Expr,
        g: Expr,
        n: Expr,
        row: Expr,
        column: Expr,
    ) -> None:
        """Adds the products of a group's kernels in a window to the sums."""
        slot, corner = window * self.fkw.groups + g, self._read_from(row, column)
        if self.schedule.taps is Taps.TABLE and self._is_uniform:
            with T.serial(self.fkw.runs) as p:
                self._run(data, slot, p, n, corner)
            return
        for p in range(self.fkw.runs):
            self._run(data, slot, p, n, corner)

    @property
    def _is_uniform(self) -> bool:
        """Whether all kernels have as many weights."""
        return len(set(self.fkw.entries)) == 1

    def _run(self, data: Buffer, slot: Expr, p: Expr, n: Expr, corner: Expr) -> None:
        """Adds the products of the p-th run of kernels of a slot."""
        stored, entries = self.stored, self.fkw.entries[0 if self._is_uniform else p]
        begin = tirx.Cast("int32", stored["stride"][slot, p])
        count = tirx.Cast("int32", stored["stride"][slot, p + 1]) - begin
        first_weight = stored["weight_offset"][slot] + self._weights_before(slot, p)
        with T.serial(count) as k:
            kernel = stored["offset"][slot] + begin + k
            channel = tirx.Cast("int32", stored["index"][kernel])
            at = first_weight + k * (entries * self.group)
            if self.schedule.taps is Taps.CODE:
                self._kernel(self.patterns[p], data, n, channel, corner, at)
            else:
                own = p if self.fkw.pattern is None else stored["pattern"][kernel]
                self._any_kernel(own, entries, data, n, channel, corner, at)

    def _registers(self) -> list[Buffer]:
        return [register for tile in self.sums for register in tile.values()]

    def _clear_sums(self) -> None:
        for register in self._registers():
            self.code.set(register, self.code.broadcast(0.0))

    def _begin_sums(self, step: Expr, i: Expr) -> None:
        """Sets the sums of the chunk's i-th group to zero, or to what earlier windows gave."""
        if self.fkw.windows == 1:
            self._clear_sums()
            return
        with T.If(step == 0):
            with T.Then():
                self._clear_sums()
            with T.Else():
                for s, register in enumerate(self._registers()):
                    self.code.set(register, self.code.load(self.partial, self._partial_at(i, s)))

    def _partial_at(self, i: Expr, s: int) -> Expr:
        return (i * len(self._registers()) + s) * self.code.lanes

    def _end_sums(self, step: Expr, i: Expr, g: Expr, n: Expr, row: Expr, column: Expr) -> None:
        """Stores the sums: to the output after the last window, else for the next one."""
        if self.fkw.windows == 1:
            self._store_group(g, n, row, column)
            return
        with T.If(step == self.fkw.windows - 1):
            with T.Then():
                self._store_group(g, n, row, column)
            with T.Else():
                for s, register in enumerate(self._registers()):
                    value = self.code.get(register)
                    self.code.store(self.partial, value, self._partial_at(i, s))

    def _store_group(self, g: Expr, n: Expr, row: Expr, column: Expr) -> None:
        for f, sums in enumerate(self.sums):
            self.store.emit(sums, n, self.filter(g, f), row, column)

    def _weights_before(self, slot: Expr, p: Expr) -> Expr:
        """Returns how many weights the slot's kernels of earlier patterns have."""
        sizes = [entries * self.group for entries in self.fkw.entries]
        if self._is_uniform:
            return tirx.Cast("int32", self.stored["stride"][slot, p]) * sizes[0]
        starts = [tirx.Cast("int32", self.stored["stride"][slot, q]) for q in range(p + 1)]
        before = starts[p] * sizes[p]
        for q in range(p):
            if sizes[q] != sizes[p]:
                before = before + (starts[q + 1] - starts[q]) * (sizes[q] - sizes[p])
        return before

    def _kernel(
        self,
        pattern: Pattern,
        data: Buffer,
        n: Expr,
        channel: Expr,
        corner: Expr,
        at: Expr,
    ) -> None:
        """Adds the products of one kernel, or of one for each filter of a group."""
        reads = self._reads(pattern)
        row_values = self.geometry.in_layout.row_vectors * self.code.lanes

        def load(row: int, column: int) -> Expr:
            place = corner + (row * row_values + column * self.code.lanes)
            return self.code.load(data, n, channel, place)

        def broadcast(tap: int, f: int) -> Expr:
            return self.code.broadcast(self.stored["weight"][at + (tap * self.group + f)])

        if self.schedule.hold is Hold.WEIGHTS:
            for tap, f in itertools.product(range(len(pattern)), range(self.group)):
                self.code.set(self.weights[tap * self.group + f], broadcast(tap, f))
            for (row, column), uses in reads.items():
                self.code.set(self.inputs[0], load(row, column))
                for (tap, place), f in itertools.product(uses, range(self.group)):
                    self._multiply_add(f, place, self.weights[tap * self.group + f], self.inputs[0])
            return
        for batch in input_batches(reads):
            uses_of_tap: dict[int, list[tuple[tuple[int, int], Buffer]]] = {}
            for held, (at_input, uses) in zip(self.inputs, batch, strict=False):
                self.code.set(held, load(*at_input))
                for tap, place in uses:
                    uses_of_tap.setdefault(tap, []).append((place, held))
            for (tap, products), f in itertools.product(uses_of_tap.items(), range(self.group)):
                self.code.set(self.weights[0], broadcast(tap, f))
                for place, held in products:
                    self._multiply_add(f, place, self.weights[0], held)

    def _any_kernel(
        self,
        pattern: Expr,
        entries: int,
        data: Buffer,
        n: Expr,
        channel: Expr,
        corner: Expr,
        at: Expr,
    ) -> None:
        """Adds the products of one kernel whose pattern is known by its number."""
        row_values = self.geometry.in_layout.row_vectors * self.code.lanes
        stride = self.geometry.stride
        for tap in range(entries):
            self.code.set(self.weights[0], self.code.broadcast(self.stored["weight"][at + tap]))
            place = corner + self.stored["taps"][tirx.Cast("int32", pattern), tap]
            for row, vector in self.sums[0]:
                step = row * stride[0] * row_values + vector * stride[1] * self.code.lanes
                self.code.set(self.inputs[0], self.code.load(data, n, channel, place + step))
                self._multiply_add(0, (row, vector), self.weights[0], self.inputs[0])

    def _multiply_add(self, f: int, place: tuple[int, int], weight: Buffer, value: Buffer) -> None:
        register = self.sums[f][place]
        product = self.code.get(weight) * self.code.get(value)
        self.code.set(register, self.code.get(register) + product)

    def _reads(self, pattern: Pattern) -> Reads:
        """Returns for each input vector of the tile which tap and output it serves."""
        return tile_reads(pattern, self.sums[0], self.geometry.stride, self.geometry.dilation)


def tile_reads(
    pattern: Pattern,
    places: Iterable[tuple[int, int]],
    stride: tuple[int, int],
    dilation: tuple[int, int],
) -> Reads:
    """Returns the input vectors (row, column) of a tile, each with its uses (tap, place)."""
    reads: Reads = {}
    for r, v in places:
        for tap, (y, x) in enumerate(pattern.taps):
            at = (r * stride[0] + y * dilation[0], v * stride[1] + x * dilation[1])
            reads.setdefault(at, []).append((tap, (r, v)))
    return dict(sorted(reads.items()))


def input_batches(reads: Reads) -> list[Batch]:
    """Divides what a tile reads into what Hold.INPUTS keeps in registers at a time.

    That is a row of inputs, if no tap is used in two of them, else all: LLVM would keep the
    weights between rows, and spill.
    """
    by_row = [list(row) for _, row in itertools.groupby(reads.items(), key=lambda read: read[0][0])]
    taps = [{tap for _, uses in row for tap, _ in uses} for row in by_row]
    if sum(map(len, taps)) == len(set[int]().union(*taps)):
        return by_row
    return [list(reads.items())]
