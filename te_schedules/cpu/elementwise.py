"""Element-wise operators, concatenation, upsampling and pixel shuffle in lanes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tvm.tirx import Buffer, PrimFunc
from tvm.tirx.script import builder as T

from te_schedules.cpu.lane_layout import LaneLayout
from te_schedules.cpu.tile_store import OperandSpec, TileStore, bind_operands, operand_params
from te_schedules.cpu.tiling import Tiling
from te_schedules.cpu.vector_code import Param, VectorCode, prim_func
from te_schedules.epilogue import Step

__all__ = ["LaneInput", "elementwise"]

TILE_VECTORS = 4  # hides the latency of a step; more would only lengthen the code


@dataclass(frozen=True)
class LaneInput:
    """A tensor of ``channels`` planes; ``repeat`` times enlarged in both directions.

    Attributes:
        shuffle: a pixel becomes those of ``repeat ** 2`` consecutive channels, not copies.
    """

    channels: int
    layout: LaneLayout
    repeat: int = 1
    shuffle: bool = False

    @property
    def planes(self) -> int:
        """Channels that it has when enlarged."""
        return self.channels // self.repeat**2 if self.shuffle else self.channels


def elementwise(
    batch: int,
    inputs: Sequence[LaneInput],
    layout: LaneLayout,
    steps: Sequence[Step[OperandSpec]] = (),
) -> PrimFunc:
    """Generates the kernel (*inputs, *operands, output): their concatenation, then ``steps``.

    Args:
        layout: of the output; the inputs have the same split, or ``1 / repeat`` of its steps.
    """
    channels = sum(source.planes for source in inputs)
    params: list[Param] = [
        (f"data{i}", source.layout.shape(batch, source.channels), "float32")
        for i, source in enumerate(inputs)
    ]
    params += operand_params(steps, channels)
    params.append(("output", layout.shape(batch, channels), "float32"))

    def body(*buffers: Buffer) -> None:
        code = VectorCode(layout.lanes)
        store = TileStore(
            code=code,
            output=buffers[-1],
            layout=layout,
            rows=Tiling(layout.vectors_y, 1),
            columns=Tiling(layout.vectors_x, min(TILE_VECTORS, layout.vectors_x)),
            steps=bind_operands(steps, buffers[len(inputs) : -1]),
        )
        first = 0
        for data, source in zip(buffers, inputs, strict=False):
            _copy(batch, data, source, store, first)
            first += source.planes

    return prim_func(params, body)


def _copy(batch: int, data: Buffer, source: LaneInput, store: TileStore, first: int) -> None:
    """Emits the loop over one input, whose first output channel is ``first``."""
    code, repeat = store.code, source.repeat
    with T.parallel(batch * source.planes) as plane:
        n, c = plane // source.planes, plane % source.planes
        tile = {(0, v): code.register() for v in range(store.columns.tile)}
        with T.serial(store.rows.count) as row, T.serial(store.columns.count) as i:
            column = store.columns.start(i)
            for (_, v), register in tile.items():
                at = source.layout.offset(row // repeat, (column + v) // repeat)
                channel = c
                if source.shuffle:
                    channel = (c * repeat + row % repeat) * repeat + (column + v) % repeat
                code.set(register, code.load(data, n, channel, at))
            store.emit(tile, n, c + first, row, column)
